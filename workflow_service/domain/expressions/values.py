"""JSON values as expressions see them, and the ways an expression fails."""

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JsonValue: TypeAlias = (
        bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None
    )
    """Any JSON value. Values are shared, not copied: treat them as immutable."""
else:
    # At run time msgspec reads the annotations of stored data, and cannot follow a recursive alias.
    JsonValue = Any


class ExpressionFailed(Exception):
    """An expression does not compile, is refused, or fails on its input.

    The engine turns it into the DSL error of type `…/errors/expression`, status 400.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ExpressionsUnavailable(Exception):
    """The evaluator of costly expressions has no capacity now: try again, nothing is wrong."""


class NeedsWorker(Exception):
    """This evaluation is not provably cheap and may not run on the caller's thread."""
