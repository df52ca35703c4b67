"""Conditions in the Common Expression Language (https://cel.dev), by its C++ reference implementation.

It is type-checked when it is compiled, has no loops but over lists, matches in linear time (RE2),
bounds recursion (32) and iterations (10,000) by itself, and reports what fails as a value.
"""

import ipaddress
from functools import lru_cache
from typing import Final

from cel_expr_python import cel

from chassis.policies.attributes import KNOWN, TIME, missing_in, paths_in
from chassis.policies.model import Answer, Attributes

MAX_CONDITION: Final = 1000
"""Characters."""
_COMPILED: Final = 5000
_LINES: Final = 3


class ConditionInvalid(ValueError):
    """The condition cannot be compiled; the message says why, for its author."""


_network = lru_cache(maxsize=_COMPILED)(ipaddress.ip_network)


def _in_network(address: str, network: str) -> bool:
    return ipaddress.ip_address(address) in _network(network)


def _environment() -> cel.Env:
    attributes = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    within = cel.Overload(
        "string_in_network_string",
        cel.Type.BOOL,
        [cel.Type.STRING, cel.Type.STRING],
        True,
        _in_network,
    )
    return cel.NewEnv(
        variables={
            **dict.fromkeys(KNOWN, attributes),
            "action": cel.Type.STRING,
            # Only by itself: the library takes no times within maps.
            TIME: cel.Type.TIMESTAMP,
        },
        functions=[cel.FunctionDecl("inNetwork", [within])],
    )


_ENVIRONMENT: Final = _environment()


class CelCondition:
    """Implements `Condition`."""

    __slots__ = ("_expression", "_text")

    def __init__(self, text: str, expression: cel.Expression) -> None:
        self._text = text
        self._expression = expression

    def evaluate(self, attributes: Attributes) -> Answer:
        """See `Condition.evaluate`."""
        try:
            if attributes.prepared is None:
                attributes.prepared = _ENVIRONMENT.Activation(attributes.values)
            result = self._expression.eval(attributes.prepared)
            value = result.value()
        except Exception as exc:  # noqa: BLE001 -- whatever it is, the request is refused for it
            return Answer(None, _first_line(exc))
        if isinstance(value, bool):
            return Answer(value)
        missing = missing_in(self._text, attributes.values)
        if missing:
            return Answer(None, f"the request has no {', '.join(missing)}")
        failed = result.type() == cel.Type.ERROR
        return Answer(None, str(value)[:200] if failed else "its value is not a boolean")


@lru_cache(maxsize=_COMPILED)
def compiled(text: str) -> CelCondition:
    """*text*, compiled; the same text is compiled once.

    Raises:
        ConditionInvalid: it is too long, no CEL, not a boolean, or names an unknown attribute.
    """
    if len(text) > MAX_CONDITION:
        raise ConditionInvalid(f"Must not be longer than {MAX_CONDITION} characters")
    try:
        expression = _ENVIRONMENT.compile(text)
    except (RuntimeError, TypeError, ValueError) as exc:
        raise ConditionInvalid(_for_its_author(exc)) from exc
    _check_names(text)
    if expression.return_type() not in (cel.Type.BOOL, cel.Type.DYN):
        raise ConditionInvalid(
            f"Must be true or false, but is {expression.return_type().name().lower()}"
        )
    return CelCondition(text, expression)


def _check_names(text: str) -> None:
    for part, name in paths_in(text):
        if name not in KNOWN[part]:
            raise ConditionInvalid(
                f"Unknown attribute {part}.{name}; there are: {', '.join(sorted(KNOWN[part]))}"
            )


def _for_its_author(exc: Exception) -> str:
    """The library's message without its own decoration, no longer than a few lines."""
    if isinstance(exc, TypeError):
        return "Must be text that can be written as UTF-8"
    lines = str(exc).replace("ERROR: <input>:", "").split("\n")[:_LINES]
    return "\n".join(lines).removeprefix("INVALID_ARGUMENT: ").removesuffix(" [INVALID_ARGUMENT]")


def _first_line(exc: Exception) -> str:
    return str(exc).partition("\n")[0][:200] or type(exc).__name__
