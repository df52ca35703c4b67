"""Pages of lists that are ordered by a moment and an id, the newest first."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from auth_service.application.ports.accounts import PageKey
from auth_service.domain.errors import InputInvalid
from chassis.errors import FieldProblem

T = TypeVar("T")
LARGEST = 200
DEFAULT = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page; *next_cursor* is empty on the last one."""

    items: Sequence[T]
    next_cursor: str


def size_of(limit: int) -> int:
    """How many items a page has; 0 stands for the default.

    Raises:
        InputInvalid: it is not from 1 to 200.
    """
    if not 0 <= limit <= LARGEST:
        raise InputInvalid([FieldProblem("limit", f"Must be between 1 and {LARGEST}")])
    return limit or DEFAULT


def key_of(cursor: str) -> PageKey | None:
    """Where the page of *cursor* begins; None: at the start.

    Raises:
        InputInvalid: it is no cursor of such a list.
    """
    if not cursor:
        return None
    try:
        at, _, name = base64.urlsafe_b64decode(cursor.encode("ascii")).decode().partition(" ")
        moment = datetime.fromisoformat(at)
    except (ValueError, binascii.Error, UnicodeError) as exc:
        raise InputInvalid([FieldProblem("cursor", "Is not one of this list")]) from exc
    if moment.tzinfo is None or not name:
        raise InputInvalid([FieldProblem("cursor", "Is not one of this list")])
    return PageKey(moment, name)


def page_of(items: Sequence[T], size: int, key: Callable[[T], PageKey]) -> Page[T]:
    """A page of up to *size* of *items*, of which one more was read to see whether there is."""
    shown = items[:size]
    if len(items) <= size:
        return Page(shown, "")
    last = key(shown[-1])
    cursor = base64.urlsafe_b64encode(f"{last.at.isoformat()} {last.id}".encode()).decode()
    return Page(shown, cursor)
