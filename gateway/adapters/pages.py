"""Pages of lists that are short enough to come whole."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.ports import Page, PageRequest

T = TypeVar("T")


def page_by_name(items: Sequence[T], name: Callable[[T], str], page: PageRequest) -> Page[T]:
    """The part of *items*, which are sorted by *name*, that *page* asks for."""
    rest = [item for item in items if name(item) > page.cursor]
    shown = rest[: page.limit]
    return Page(shown, name(shown[-1]) if len(rest) > len(shown) else None)
