"""Lists in pages: how long one may be, and the cursor that leads to the next."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from notification_service.domain.errors import CursorInvalid, LimitOutOfRange

Item = TypeVar("Item")

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
_LARGEST_POSITION = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Part of a list; *next_cursor* is empty on the last page."""

    items: Sequence[Item]
    next_cursor: str


def page_size(limit: int) -> int:
    """How many items were asked for; 0 asks for the default.

    Raises:
        LimitOutOfRange: negative, or above the largest.
    """
    if limit == 0:
        return DEFAULT_LIMIT
    if not 1 <= limit <= LARGEST_LIMIT:
        raise LimitOutOfRange(limit, LARGEST_LIMIT)
    return limit


def cursor_of(kind: str, position: int) -> str:
    """The cursor of list *kind* that leads to what comes after *position*."""
    return base64.urlsafe_b64encode(f"{kind}:{position}".encode()).decode().rstrip("=")


def position_of(kind: str, cursor: str) -> int | None:
    """Where *cursor* leads; None for the empty one, which leads to the start.

    Raises:
        CursorInvalid: it was not made by `cursor_of` for this kind of list.
    """
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except (binascii.Error, ValueError) as exc:
        raise CursorInvalid from exc
    prefix, _, digits = text.partition(":")
    if prefix != kind or not digits.isdecimal() or len(digits) > 19:
        raise CursorInvalid
    position = int(digits)
    if position > _LARGEST_POSITION or cursor_of(kind, position) != cursor:
        raise CursorInvalid
    return position
