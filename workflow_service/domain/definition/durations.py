"""Lengths of time: objects of days … milliseconds and ISO 8601 strings, as seconds.

ISO 8601 leaves the length of years and months to the calendar. A workflow's pause has no calendar: here a year is 365
days and a month is 30 days, always.
"""

import math
import re
from typing import Final

from workflow_service.domain.expressions import JsonValue

LONGEST: Final = 100 * 365 * 86_400.0
"""The longest duration that is accepted, in seconds: a hundred years."""

_UNITS: Final = {
    "days": 86_400.0,
    "hours": 3_600.0,
    "minutes": 60.0,
    "seconds": 1.0,
    "milliseconds": 0.001,
}
_NUMBER = r"(\d{1,15}(?:[.,]\d{1,15})?)"
_ISO_8601 = re.compile(
    rf"P(?=[\dT])(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?"
    rf"(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?",
    re.ASCII,
)
_ISO_SECONDS: Final = (365 * 86_400.0, 30 * 86_400.0, 7 * 86_400.0, 86_400.0, 3_600.0, 60.0, 1.0)
_SHOWN = 60


def parse_iso8601_duration(text: str) -> float:
    """Return the seconds that an ISO 8601 duration such as ``PT1H30M`` or ``P1W`` means.

    Weeks may stand beside other units and every number may have a fraction.

    Raises:
        ValueError: it is none, is negative, or is above LONGEST; the message says so.
    """
    found = _ISO_8601.fullmatch(text)
    if found is None:
        reason = (
            "is negative" if text.startswith(("-P", "P-", "PT-")) else "is not an ISO 8601 duration"
        )
        raise ValueError(f"{text[:_SHOWN]!r} {reason}: write, for example, PT30S, PT15M or P1D")
    seconds = sum(
        float(number.replace(",", ".")) * unit
        for number, unit in zip(found.groups(), _ISO_SECONDS, strict=True)
        if number is not None
    )
    return _in_range(seconds)


def duration_seconds(value: JsonValue) -> float:
    """Return the seconds that *value*, an object of units or an ISO 8601 string, means.

    Raises:
        ValueError: it is no duration, is negative, or is above LONGEST; the message says so.
    """
    match value:
        case str(text):
            return parse_iso8601_duration(text)
        case dict(members) if members:
            return _in_range(math.fsum(_member_seconds(*member) for member in members.items()))
        case _:
            raise ValueError(
                "a duration is an ISO 8601 string such as PT15M or an object such as {minutes: 15}"
            )


def _member_seconds(unit: str, amount: JsonValue) -> float:
    if unit not in _UNITS:
        raise ValueError(f"{unit[:_SHOWN]!r} is not a unit of time; there are: {', '.join(_UNITS)}")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise ValueError(f"{unit} must be a number")
    if amount < 0:
        raise ValueError(f"{unit} must not be negative")
    return amount * _UNITS[unit]


def _in_range(seconds: float) -> float:
    if not 0 <= seconds <= LONGEST:
        raise ValueError("a duration may be at most 100 years")
    return seconds
