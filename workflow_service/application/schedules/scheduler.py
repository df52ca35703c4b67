"""Starts workflows when their ticks have come: one look at the store serves all schedules, and none is needed in between.

A tick is started for before it is ticked off. Whoever dies in between leaves it due, and whoever finds it then starts
the same execution, which is there. The tick is ticked off by a compare-and-set, so that any number of processes may look.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from chassis.clock import Clock
from chassis.errors import ServiceError, Unavailable
from chassis.telemetry.logging import get_logger
from workflow_service.application.schedule_ports import KeptSchedule, ScheduleKey, Schedules
from workflow_service.application.schedules.attention import Attention
from workflow_service.application.schedules.ticking import Ticking

_log = get_logger("workflow_service.schedules")

PAGE: Final = 200
"""How many schedules are looked at, and fired, at once."""
LOOK: Final = 2.0
"""Seconds between two looks at the clock, which may jump; the store is not asked for that."""
RECHECK: Final = 30.0
"""Seconds between two looks at the store when nothing is due: other processes arrange schedules, too."""
PENALTY: Final = 5.0
"""Seconds for which a schedule that cannot be started is left alone."""
_FIRST: Final = ScheduleKey("", "", "")


class Scheduler:
    """Looks at the clock for ever, and at the schedules when one is due.

    Args:
        schedules: kept here.
        clock: by which executions live.
    """

    def __init__(self, schedules: Schedules, clock: Clock) -> None:
        self._schedules = schedules
        self._clock = clock
        self._changed = asyncio.Event()
        self._attention = Attention(clock.now())
        self._failing: dict[ScheduleKey, float] = {}
        self._to_set_right = True

    def wake(self) -> None:
        """Say that something may be due earlier than before."""
        self._changed.set()

    async def run(self, ticking: Ticking) -> None:
        """Fire for ever."""
        self._attention = Attention(self._clock.now())
        while True:
            try:
                await self._look(ticking)
            except Unavailable as failure:
                _log.warning("schedules_wait", reason=failure.message)
                await asyncio.sleep(LOOK)

    async def _look(self, ticking: Ticking) -> None:
        self._changed.clear()
        if self._to_set_right:
            await self._set_all_right(ticking)
        await ticking.go_on_after_ends()
        now = self._clock.now()
        due = await self._schedules.due(now, PAGE + len(self._failing))
        # Only now: as long as the store is away nobody is attentive.
        self._to_set_right = self._attention.look(now) == "back"
        ready = [kept for kept in due if self._may_fire(kept.record.key)]
        if ready:
            fired = (self._fire(ticking, kept, now) for kept in ready[:PAGE])
            _ = await asyncio.gather(*fired)
        elif not self._to_set_right:
            await self._rest(await self._schedules.next_due())

    async def _rest(self, due_at: datetime | None) -> None:
        """Return when something is due, when something changes, or after a while."""
        loop = asyncio.get_running_loop()
        until = loop.time() + RECHECK
        while loop.time() < until and not self._changed.is_set():
            try:
                async with asyncio.timeout(self._seconds_to(due_at)):
                    _ = await self._changed.wait()
            except TimeoutError:
                now = self._clock.now()
                self._to_set_right = self._attention.look(now) == "back"
                if self._to_set_right or (due_at is not None and due_at <= now):
                    return

    def _seconds_to(self, due_at: datetime | None) -> float:
        if due_at is None:
            return LOOK
        ahead = (due_at - self._clock.now()).total_seconds()
        # What is due and was not fired has failed of late.
        return min(ahead, LOOK) if ahead > 0 else LOOK / 4

    async def _fire(self, ticking: Ticking, kept: KeptSchedule, now: datetime) -> None:
        key = kept.record.key
        try:
            await ticking.fire(kept, now, self._attention.since)
        except ServiceError as failure:
            _log.warning("schedule_waits", schedule=key.id, reason=failure.message)
        except Exception:  # noqa: BLE001 - one schedule that cannot be understood must not stop all others
            _log.exception("schedule_broken", tenant=key.tenant, schedule=key.id)
        else:
            self._failing.pop(key, None)
            return
        self._failing[key] = self._clock.monotonic() + PENALTY

    async def _set_right(self, ticking: Ticking, kept: KeptSchedule, now: datetime) -> None:
        try:
            await ticking.set_right(kept, now)
        except ServiceError:
            raise
        except Exception:  # noqa: BLE001 - as above
            _log.exception("schedule_broken", schedule=kept.record.key.id)

    def _may_fire(self, key: ScheduleKey) -> bool:
        until = self._failing.get(key)
        if until is not None and until > self._clock.monotonic():
            return False
        self._failing.pop(key, None)
        return True

    async def _set_all_right(self, ticking: Ticking) -> None:
        """Look at every schedule: at the beginning, and when the clock has gone back."""
        place, now = _FIRST, self._clock.now()
        while page := await self._schedules.everybodys(place, PAGE):
            for kept in page:
                await self._set_right(ticking, kept, now)
            place = page[-1].record.key
        self._to_set_right = False
