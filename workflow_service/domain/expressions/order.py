"""Jq's order of all values: null, false, true, numbers, strings, arrays, objects."""

from workflow_service.domain.expressions.tree import EXACT_INTEGER
from workflow_service.domain.expressions.values import JsonValue


class Undecided(Exception):
    """Only libjq can tell the result."""


_RANKS: dict[type, int] = {type(None): 0, int: 3, float: 3, str: 4, list: 5, dict: 6}


def _rank(value: JsonValue) -> int:
    """Null, false, true, numbers, strings, arrays, objects."""
    if isinstance(value, bool):
        return 2 if value else 1
    return _RANKS[type(value)]


def _inexact(value: JsonValue) -> bool:
    return isinstance(value, int | float) and not abs(value) <= EXACT_INTEGER


def equal(a: JsonValue, b: JsonValue) -> bool:
    """Whether jq calls *a* and *b* equal."""
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    return compare(a, b) == 0


def compare(a: JsonValue, b: JsonValue) -> int:
    """Negative, zero or positive as jq orders *a* before, with or after *b*.

    Raises:
        Undecided: numbers that doubles do not hold exactly.
    """
    rank, other = _rank(a), _rank(b)
    if rank != other:
        return rank - other
    match a, b:
        case str(), str():
            return (a > b) - (a < b)
        case (int() | float(), int() | float()):
            if _inexact(a) or _inexact(b):
                raise Undecided
            return (a > b) - (a < b)
        case list(), list():
            for first, second in zip(a, b, strict=False):
                if order := compare(first, second):
                    return order
            return len(a) - len(b)
        case dict(), dict():
            return _compare_objects(a, b)
        case _:
            return 0


def _compare_objects(a: dict[str, JsonValue], b: dict[str, JsonValue]) -> int:
    keys, others = sorted(a), sorted(b)
    if keys != others:
        return 1 if keys > others else -1
    for key in keys:
        if order := compare(a[key], b[key]):
            return order
    return 0
