"""Get the history of an execution."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from workflow_service.application.caller import Caller, seen
from workflow_service.application.ports import EventStore, Page, Recorded, Summaries
from workflow_service.application.projections.history import About
from workflow_service.application.queries.paging import (
    DEFAULT_PAGES,
    HistoryPages,
    page_limit,
    refused,
)
from workflow_service.application.queries.shown_events import ShownEvent, shown
from workflow_service.application.reached import reached

CHUNK: Final = 64
"""How many events are read at a time, or fewer when they are large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GetHistory:
    """Get the facts of an execution, oldest first; a page may end before its limit when they are large."""

    caller: Caller
    execution: str
    begin: datetime | None = None
    """Recorded at that time or later."""
    end: datetime | None = None
    """Recorded at that time or before."""
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class GetHistoryHandler:
    """Raises ``ExecutionNotFound``, and ``Invalid`` for unknown limits and cursors."""

    events: EventStore
    summaries: Summaries
    pages: HistoryPages = DEFAULT_PAGES

    async def __call__(self, query: GetHistory) -> Page[ShownEvent]:
        limit = min(page_limit(query.limit), self.pages.items)
        after = _place_of(query.cursor)
        about = About.of(await seen(self.summaries, query.caller, query.execution))
        items: list[ShownEvent] = []
        size = 0
        async for recorded in self._matching(query, after):
            item = shown(about, recorded)
            size += len(item.data)
            if len(items) == limit or (items and size > self.pages.bytes):
                self._count(len(items), size)
                return Page(tuple(items), str(items[-1].sequence))
            items.append(item)
        return Page(tuple(items))

    def _count(self, items: int, size: int) -> None:
        if size > self.pages.bytes:
            reached("history_page_bytes")
        elif items == self.pages.items:
            reached("history_page")

    async def _matching(self, query: GetHistory, after: int) -> AsyncIterator[Recorded]:
        while chunk := await self.events.read(query.execution, after=after, limit=CHUNK):
            after = chunk[-1].sequence
            for recorded in chunk:
                if query.begin is not None and recorded.at < query.begin:
                    continue
                if query.end is not None and recorded.at > query.end:
                    continue
                yield recorded


def _place_of(cursor: str | None) -> int:
    if cursor is None:
        return 0
    # Longer ones name no event that anybody could have.
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 15):
        raise refused("cursor", "is not a cursor that a page of this history ended with")
    return int(cursor)
