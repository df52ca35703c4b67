"""Watch the history of an execution as it goes on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from workflow_service.application.caller import Caller, seen
from workflow_service.application.ports import EventStore, Progress, Recorded, Summaries
from workflow_service.application.projections.history import About
from workflow_service.application.queries.paging import DEFAULT_PAGES, HistoryPages, refused
from workflow_service.application.queries.shown_events import ShownEvent, shown
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
)

CHUNK: Final = 256
"""How many events are read at a time, or fewer when they are large."""
POLL: Final = 2.0
"""Seconds after which the store is asked although nobody has told of a change."""

_TERMINAL: Final = (WorkflowCancelled, WorkflowCompleted, WorkflowFaulted)


@dataclass(frozen=True, slots=True)
class WatchHistory:
    """See the facts after the sequence *after*, and then each as it happens, until the execution has ended."""

    caller: Caller
    execution: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class WatchHistoryHandler:
    """Returns batches without gaps or repetitions; none is empty.

    Raises ``ExecutionNotFound``, and ``Invalid`` for a place that the history has not come to.
    """

    events: EventStore
    summaries: Summaries
    progress: Progress
    pages: HistoryPages = DEFAULT_PAGES

    async def __call__(self, query: WatchHistory) -> AsyncGenerator[Sequence[ShownEvent], None]:
        about = About.of(await seen(self.summaries, query.caller, query.execution))
        head = await self.events.head(query.execution)
        if query.after < 0 or head is None or query.after > head.sequence:
            raise refused("after_sequence", "is beyond what has happened")
        over = head.summary.ended_at is not None and query.after == head.sequence
        return self._follow(about, query.after, head.sequence, over)

    async def _follow(
        self, about: About, after: int, known: int, over: bool
    ) -> AsyncGenerator[Sequence[ShownEvent], None]:
        """Yield what comes after *after*; there is something up to *known*, and nobody will tell of that again."""
        while True:
            chunk = await self.events.read(about.execution, after=after, limit=CHUNK)
            for batch in _batches(about, chunk, self.pages.bytes):
                yield batch
            if chunk:
                after = chunk[-1].sequence
                # A faulted execution may have been taken up again: what is last counts.
                over = isinstance(chunk[-1].event, _TERMINAL)
            if chunk and (after < known or len(chunk) == CHUNK):
                continue
            if over:
                return
            await self.progress.wait(about.execution, after, POLL)


def _batches(about: About, chunk: Sequence[Recorded], most: int) -> Iterator[Sequence[ShownEvent]]:
    batch: list[ShownEvent] = []
    size = 0
    for recorded in chunk:
        event = shown(about, recorded)
        size += len(event.data)
        if batch and size > most:
            yield batch
            batch, size = [], len(event.data)
        batch.append(event)
    if batch:
        yield batch
