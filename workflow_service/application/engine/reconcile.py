"""Proves again and again that every open execution will go on, and repairs those that would not.

An open execution goes on by itself if it has a time to wake at, if somebody works on it, or if it waits for events; it
rests rightly if it is suspended. What is none of these should not exist: a commit that forgot its timer, a performer that died without a word,
an owner that nobody succeeded. Whatever the reason, taking it up again is right, because effects are repeated with their
keys and everything else is decided anew from the history.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from chassis.errors import ServiceError
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.application.ports import EventStore, OpenExecution

_log = get_logger("workflow_service.reconciler")

PAGE: Final = 500
PAGES: Final = 40
"""How many pages one round looks at; the next round goes on behind them."""
TRIES: Final = 3
"""How often one execution is repaired: what does not help then, will not help later."""

_REPAIRED: Final = metrics.counter(
    "workflow_zombies_repaired_total",
    "Open executions that nothing would have moved and that were taken up again, by what was missing.",
    ["missing"],
)
_HOPELESS: Final = metrics.counter(
    "workflow_zombies_hopeless_total",
    "Open executions that are left alone because repairing them did not help.",
    ["reason"],
)


class Reconciler:
    """Looks at all open executions, some pages in every round.

    Args:
        store: has them.
        node: who asks.
        attended: whether this process works on an execution.
        succeed: take over what dead owners left.
        repair: take one execution up again.
    """

    def __init__(
        self,
        store: EventStore,
        node: str,
        attended: Callable[[str], bool],
        succeed: Callable[[], Awaitable[object]],
        repair: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._node = node
        self._attended = attended
        self._succeed = succeed
        self._repair = repair
        self._place: tuple[str, str] | None = None
        self._tried: Counter[str] = Counter()

    async def run(self, every: float) -> None:
        """Make a round every so many seconds, for ever."""
        while True:
            await asyncio.sleep(every)
            try:
                await self.round()
            except ServiceError as failure:
                _log.warning("reconciler_waits", reason=failure.message)

    async def round(self) -> int:
        """Look at some pages, repair what needs it, and return how many that were.

        Raises:
            Unavailable: the store does not answer; the next round looks at the same again.
        """
        await self._succeed()
        repaired = 0
        async for row in self._rows():
            missing = self._missing(row)
            if missing is not None and await self._is_as_before(row):
                repaired += await self._mend(row, missing)
        return repaired

    async def _rows(self) -> AsyncIterator[OpenExecution]:
        for _ in range(PAGES):
            page = await self._store.open_executions(self._place, PAGE)
            for row in page:
                yield row
            self._place = (page[-1].tenant, page[-1].execution) if len(page) == PAGE else None
            if self._place is None:
                return

    def _missing(self, row: OpenExecution) -> str | None:
        """Say what *row* lacks to go on; None when it lacks nothing, or when it is another process's."""
        if self._attended(row.execution):
            return None
        if row.busy:
            return "performer" if set(row.nodes) <= {self._node} else None
        if row.wake_at is None and row.status != "suspended" and not row.listening:
            return "timer"
        return None

    async def _is_as_before(self, row: OpenExecution) -> bool:
        """Make sure that nothing moved it between the look at the store and the look at this process."""
        head = await self._store.head(row.execution)
        if head is None or head.sequence != row.sequence or head.summary.ended_at is not None:
            return False
        return not self._attended(row.execution)

    async def _mend(self, row: OpenExecution, missing: str) -> int:
        if self._tried[row.execution] >= TRIES:
            return 0
        if len(self._tried) >= PAGE * PAGES:
            self._tried.clear()
        self._tried[row.execution] += 1
        if self._tried[row.execution] == TRIES:
            _HOPELESS.child("repaired in vain").inc()
        _log.error(
            "zombie_repaired",
            execution=row.execution,
            tenant=row.tenant,
            missing=missing,
            sequence=row.sequence,
        )
        _REPAIRED.child(missing).inc()
        await self._repair(row.execution)
        return 1
