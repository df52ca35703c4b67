"""JSON values as expressions see them, their size, and the one way an expression fails."""

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


def size_of(value: JsonValue, limit: int) -> int:
    """Estimate the encoded size of *value* in bytes, stopping soon after *limit* is passed.

    Characters count as one byte each, which is right within the factor that JSON escaping and
    UTF-8 can add; good enough to choose where to evaluate and to stop what grows without bound.
    """
    total = 0
    waiting = [value]
    while waiting and total <= limit:
        item = waiting.pop()
        if isinstance(item, str):
            total += len(item) + 2
        elif isinstance(item, dict):
            total += sum(map(len, item)) + 4 * len(item) + 2
            waiting.extend(item.values())
        elif isinstance(item, list):
            total += len(item) + 2
            waiting.extend(item)
        else:
            total += 8
    return total


def deeper_than(value: JsonValue, levels: int) -> bool:
    """Say whether arrays and objects are nested more than *levels* deep; walks no further than that."""
    layer = [value]
    for _ in range(levels + 1):
        below: list[JsonValue] = []
        for item in layer:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return False
        layer = below
    return True
