"""Lists that are shown by pages."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items of a list, and where the next ones begin (opaque; None: there are no more)."""

    items: tuple[T, ...]
    next_cursor: str | None = None
