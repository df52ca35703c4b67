"""Deletes what has had its time, so that the store does not grow for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.application.ports import Retention

_log = get_logger("workflow_service.retention")

EVERY: Final = 60.0
"""Seconds between two sweeps."""
PAUSE: Final = 0.05
"""Seconds between two pieces of work: those who wait for the store come first."""
EXECUTIONS: Final = 50
ROWS: Final = 1_000
PAGES: Final = 256

_DELETED: Final = metrics.counter(
    "workflow_retention_deleted_total", "Deleted because it was old, by what it was.", ["what"]
)
_FREED: Final = metrics.counter(
    "workflow_store_pages_freed_total",
    "Pages of the store given back to the file system.",
    ["store"],
)


class Sweeper:
    """Sweeps the store.

    Args:
        store: is swept.
        clock: says what is old; one that does not jump.
        days: how long executions are kept after their end, and events from outside after they came; 0: for ever.
        pause: seconds between two pieces of work.
    """

    def __init__(self, store: Retention, clock: Clock, *, days: int, pause: float = PAUSE) -> None:
        self._store = store
        self._clock = clock
        self._days = days
        self._pause = pause

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            try:
                await self.sweep()
            except Unavailable as failure:
                _log.warning("retention_waits", reason=failure.message)
            await asyncio.sleep(EVERY)

    async def sweep(self) -> None:
        """Delete all that is old now.

        Raises:
            Unavailable: the store does not answer; what was deleted is gone, the rest is for the next sweep.
        """
        store, now = self._store, self._clock.now()
        if self._days > 0:
            before = now - timedelta(days=self._days)
            await self._all("executions", lambda: store.forget_ended(before, EXECUTIONS))
            await self._all("events", lambda: store.drop_inbound(before, ROWS))
        await self._all("commits", lambda: store.purge(ROWS))
        await self._all("idempotency keys", lambda: store.drop_keys(now, ROWS))
        while freed := await store.compact(PAGES):
            _FREED.child("workflow").inc(freed)
            await asyncio.sleep(self._pause)

    async def _all(self, what: str, some: Callable[[], Awaitable[int]]) -> None:
        total = 0
        while count := await some():
            total += count
            _DELETED.child(what).inc(count)
            await asyncio.sleep(self._pause)
        if total:
            _log.info("old_deleted", what=what, count=total)
