"""What every list of this service agrees on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chassis.errors import FieldProblem, Invalid

DEFAULT_LIMIT: Final = 50
LARGEST_LIMIT: Final = 200

PAGE_BYTES: Final = 2 * 1024 * 1024
"""Bytes of data that a page of events has at the most, unless its first one alone has more."""


@dataclass(frozen=True, slots=True)
class HistoryPages:
    """How large a page of events may be."""

    items: int = LARGEST_LIMIT
    bytes: int = PAGE_BYTES
    """Of data; its first event is in it however large it is."""


DEFAULT_PAGES: Final = HistoryPages()


def page_limit(limit: int | None) -> int:
    """Return how many items a page may have; None asks for as many as is usual.

    Raises:
        Invalid: there is no such page.
    """
    if limit is None:
        return DEFAULT_LIMIT
    if not 1 <= limit <= LARGEST_LIMIT:
        raise refused("limit", f"must be from 1 to {LARGEST_LIMIT}")
    return limit


def refused(field: str, message: str) -> Invalid:
    """Return the error that says what is wrong with one field."""
    return Invalid("the request does not make sense", details=[FieldProblem(field, message)])
