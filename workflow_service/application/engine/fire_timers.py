"""Wakes executions when their time has come, and takes up what an earlier owner left.

Timers live in the store and nowhere else: a wait of a month costs no memory, and a clock that jumps is noticed at the
next look, a few seconds later at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from chassis.clock import Clock
from chassis.errors import ServiceError, Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.application.ports import EventStore
from workflow_service.application.reached import reached
from workflow_service.domain.execution.commands import Stimulus, Wake

_log = get_logger("workflow_service.timers")

_LOOK = 2.0
"""Seconds between two looks when nothing is known to be due: for clock jumps and other processes."""
_LONGEST_PENALTY = 60.0

Advance = Callable[[str, Stimulus], Awaitable[object]]


class Timers:
    """Fires timers; one look at the store serves many executions."""

    def __init__(
        self,
        store: EventStore,
        clock: Clock,
        supervisor: Supervisor,
        advance: Advance,
        *,
        at_once: int = 200,
    ) -> None:
        self._store = store
        self._clock = clock
        self._supervisor = supervisor
        self._advance = advance
        self._at_once = at_once
        self._changed = asyncio.Event()
        self._next: datetime | None = None
        self._waking: set[str] = set()
        self._failing: dict[str, tuple[float, float]] = {}
        """Until when (monotonic: a wall clock that is set back must not lengthen it), and how long."""

    def expect(self, moment: datetime) -> None:
        """Say that something is now due at *moment*."""
        if self._next is None or moment < self._next:
            self._next = moment
            self._changed.set()

    async def run(self) -> None:
        """Fire timers for ever."""
        while True:
            try:
                await self._look()
            except Unavailable as failure:
                _log.warning("timers_wait", reason=failure.message)
                await asyncio.sleep(_LOOK)

    async def _look(self) -> None:
        self._changed.clear()
        room = self._at_once - len(self._waking)
        if room <= 0:
            # Of what comes due meanwhile, tenants that have waited for less must not stand behind all of it.
            reached("wakes")
            _ = await self._changed.wait()
            return
        now = self._clock.now()
        due = await self._store.due(now, room + len(self._waking) + len(self._failing))
        fresh = [execution for execution in due if self._may_wake(execution)]
        for execution in fresh[:room]:
            self._waking.add(execution)
            _ = self._supervisor.spawn("wake", self._wake(execution))
        if len(fresh) < room:
            self._next = await self._store.next_wake()
            await self._rest()

    async def _rest(self) -> None:
        seconds = _LOOK
        if self._next is not None:
            ahead = (self._next - self._clock.now()).total_seconds()
            if ahead > 0 or not (self._waking or self._failing):
                seconds = min(max(ahead, 0.0), _LOOK)
        try:
            async with asyncio.timeout(seconds):
                _ = await self._changed.wait()
        except TimeoutError:
            return

    def _may_wake(self, execution: str) -> bool:
        if execution in self._waking:
            return False
        failing = self._failing.get(execution)
        return failing is None or failing[0] <= self._clock.monotonic()

    async def _wake(self, execution: str) -> None:
        try:
            await self._advance(execution, Wake())
        except Exception as failure:
            self._punish(execution)
            if not isinstance(failure, ServiceError):
                raise
            _log.warning("wake_failed", execution=execution, reason=failure.message)
        else:
            self._failing.pop(execution, None)
        finally:
            self._waking.discard(execution)
            self._changed.set()

    def _punish(self, execution: str) -> None:
        """Leave an execution that cannot be advanced alone for a while: it must not spin, nor keep others waiting."""
        _, penalty = self._failing.get(execution, (None, 0.5))
        penalty = min(penalty * 2, _LONGEST_PENALTY)
        self._failing[execution] = (self._clock.monotonic() + penalty, penalty)


async def take_up(
    store: EventStore, owner: str, resume: Callable[[str], Awaitable[None]], *, at_once: int = 50
) -> int:
    """Make *owner* go on with everything that no living owner works on; return how many executions that were.

    Effects without a recorded outcome are performed again, with the same idempotency key, and the history says so.
    """
    room = asyncio.Semaphore(at_once)
    taken = 0

    async def within_room(execution: str) -> None:
        async with room:
            await resume(execution)

    while executions := await _taken_over(store, owner):
        taken += len(executions)
        resumed = (within_room(execution) for execution in executions)
        results = await asyncio.gather(*resumed, return_exceptions=True)
        for execution, result in zip(executions, results, strict=True):
            if isinstance(result, Exception):
                _log.error("recovery_failed", execution=execution, exc_info=result)
    return taken


async def _taken_over(store: EventStore, owner: str) -> Sequence[str]:
    delay = 0.1
    while True:
        try:
            return await store.take_over(owner, 500)
        except Unavailable as failure:
            _log.warning("recovery_waits", reason=failure.message)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5.0)
