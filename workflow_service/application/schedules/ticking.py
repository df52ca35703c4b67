"""What is done about one schedule: its due ticks are started for and ticked off, its next one is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from chassis.clock import Clock
from chassis.errors import RateLimited, ServiceError, Unavailable
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.application.engine.endings import Endings
from workflow_service.application.ports import Summaries, Summary
from workflow_service.application.schedule_ports import (
    KeptSchedule,
    ScheduleKey,
    ScheduleRecord,
    Schedules,
)
from workflow_service.application.schedules.starting import Starting
from workflow_service.domain.schedules.firing import fire, tick_after_end
from workflow_service.domain.schedules.gathering import Heard, Pending
from workflow_service.domain.schedules.model import After, On
from workflow_service.domain.schedules.ticks import next_tick

_log = get_logger("workflow_service.schedules")

_TICKS: Final = metrics.counter(
    "workflow_schedule_ticks_total",
    "Ticks of schedules: started for, missed, or skipped because the execution before still ran.",
    ["outcome"],
)


@dataclass(slots=True)
class _Done:
    """What has become of the ticks of one firing so far."""

    record: ScheduleRecord
    last: Summary | None = None
    skipped: int = 0
    failed: int = 0


@dataclass(slots=True)
class Ticking:
    """Changes the records of schedules as time goes on, and as executions end.

    Args:
        schedules: kept here.
        starting: starts executions.
        summaries: tell how they ended.
        endings: tell when they end.
        clock: by which executions live.
        most: how many missed ticks may be started for at once.
        ended: told when an execution has ended after which a schedule goes on.
    """

    schedules: Schedules
    starting: Starting
    summaries: Summaries
    endings: Endings
    clock: Clock
    most: int
    ended: Callable[[], None]
    _expected: set[str] = field(default_factory=set)
    _ends: list[tuple[ScheduleKey, str, datetime]] = field(default_factory=list)

    async def fire(self, kept: KeptSchedule, now: datetime, attentive_since: datetime) -> None:
        """Start for the ticks that are due, then tick them off; nothing is lost or done twice if that is cut in two.

        Raises:
            RateLimited: there is no room for another execution; the ticks stay due.
            Unavailable: the store does not answer; they stay due, too.
        """
        record = kept.record
        if record.next_at is None:
            return
        if isinstance(record.schedule.trigger, On):
            await self._fire_for_events(kept, now)
            return
        firing = fire(
            record.schedule,
            record.begun_at,
            record.next_at,
            now,
            attentive_since=attentive_since,
            most=self.most,
        )
        done = _Done(record)
        for tick in firing.starts:
            await self._start(done, tick)
        not_started = firing.missed + done.skipped + done.failed
        after = replace(done.record, missed=record.missed + not_started, next_at=firing.next_at)
        if isinstance(record.schedule.trigger, After):
            after = self._after_start(after, record.schedule.trigger, done.last)
        if await self.schedules.put(after, kept.revision):
            _count("started", done.record.started - record.started)
            _count("missed", firing.missed + done.failed)
            _count("skipped", done.skipped)
            await self._expect(after)

    async def _fire_for_events(self, kept: KeptSchedule, now: datetime) -> None:
        """Start for what is pending, and take off what was started for, also when it does not come to all of it."""
        record = kept.record
        begun: dict[int, str | None] = {}
        try:
            for pending in record.heard.pending if record.heard is not None else ():
                begun[pending.position] = await self._started_for(record, pending)
        finally:
            await self._take_off(record.key, begun, now)

    async def _started_for(self, record: ScheduleRecord, pending: Pending) -> str | None:
        """Return the execution; None where there can be none."""
        try:
            return (await self.starting.for_events(record, pending)).execution
        except (RateLimited, Unavailable):
            raise
        except ServiceError as refused:
            _log.error("schedule_failed", schedule=record.key.id, reason=refused.message)
            return None

    async def _take_off(
        self, key: ScheduleKey, begun: dict[int, str | None], now: datetime
    ) -> None:
        while (kept := await self.schedules.get(key)) is not None:
            changed = _without(kept.record, begun, now)
            if await self.schedules.put(changed, kept.revision):
                _count("started", changed.started - kept.record.started)
                _count("missed", changed.missed - kept.record.missed)
                return

    async def _start(self, done: _Done, tick: datetime) -> None:
        record = done.record
        try:
            begun = await self.starting.at(record, tick)
        except (RateLimited, Unavailable):
            raise
        except ServiceError as refused:
            _log.error("schedule_failed", schedule=record.key.id, reason=refused.message)
            done.failed += 1
            return
        if begun is None:
            done.skipped += 1
            return
        done.last = begun
        done.record = replace(
            record, last_at=tick, last_execution=begun.execution, started=record.started + 1
        )

    def _after_start(
        self, record: ScheduleRecord, trigger: After, begun: Summary | None
    ) -> ScheduleRecord:
        """Go on after the end of what has begun; where nothing could begin, as if that had ended now."""
        if begun is not None and begun.ended_at is None:
            return replace(record, awaited=begun.execution, next_at=None)
        ended_at = self.clock.now() if begun is None else begun.ended_at or self.clock.now()
        return replace(record, awaited="", next_at=tick_after_end(trigger, ended_at))

    # ------------------------------------------------------------ ends

    async def _expect(self, record: ScheduleRecord) -> None:
        """See to it that the end of the awaited execution is heard, also if it has come already."""
        execution, key = record.awaited, record.key
        if not execution or execution in self._expected:
            return
        self._expected.add(execution)
        ending = self.endings.expect(execution)
        ending.add_done_callback(lambda done: self._heard(key, done.result()))
        known = await self.summaries.get(key.tenant, execution)
        if known is None or known.ended_at is not None:
            self._note(key, execution, known)

    def _heard(self, key: ScheduleKey, summary: Summary) -> None:
        self._note(key, summary.execution, summary)

    def _note(self, key: ScheduleKey, execution: str, summary: Summary | None) -> None:
        ended_at = None if summary is None else summary.ended_at
        self._ends.append((key, execution, ended_at or self.clock.now()))
        self.ended()

    async def go_on_after_ends(self) -> None:
        """Find the next start of schedules whose execution has ended.

        Raises:
            Unavailable: the store does not answer; what is left is done the next time.
        """
        while self._ends:
            key, execution, ended_at = self._ends[-1]
            if await self._gone_on(key, execution, ended_at):
                _ = self._ends.pop()
                self._expected.discard(execution)

    async def _gone_on(self, key: ScheduleKey, execution: str, ended_at: datetime) -> bool:
        kept = await self.schedules.get(key)
        if kept is None or kept.record.awaited != execution:
            return True
        trigger = kept.record.schedule.trigger
        if not isinstance(trigger, After):
            return True
        next_at = tick_after_end(trigger, ended_at)
        return await self.schedules.put(
            replace(kept.record, awaited="", next_at=next_at), kept.revision
        )

    # ------------------------------------------------------------ beginnings, and clocks that went back

    async def set_right(self, kept: KeptSchedule, now: datetime) -> None:
        """Make sure that a schedule goes on: that an awaited end is heard, and that no tick is further away than it has to be.

        Raises:
            Unavailable: the store does not answer.
        """
        record, trigger = kept.record, kept.record.schedule.trigger
        await self._expect(record)
        if record.next_at is None or isinstance(trigger, On):
            return
        if isinstance(trigger, After):
            nearest: datetime | None = tick_after_end(trigger, now)
        else:
            nearest = next_tick(trigger, record.begun_at, now)
        if nearest is not None and nearest < record.next_at:
            # Somebody else may have done that, or more; then it is right, too.
            _ = await self.schedules.put(replace(record, next_at=nearest), kept.revision)


def _without(record: ScheduleRecord, begun: dict[int, str | None], now: datetime) -> ScheduleRecord:
    """Return *record* without the pending starts in *begun*, which has the executions that there are for them."""
    heard = record.heard or Heard()
    done = [each for each in heard.pending if each.position in begun]
    rest = tuple(each for each in heard.pending if each.position not in begun)
    executions = [name for each in done if (name := begun[each.position]) is not None]
    return replace(
        record,
        heard=replace(heard, pending=rest),
        next_at=now if rest else None,
        last_at=now if executions else record.last_at,
        last_execution=executions[-1] if executions else record.last_execution,
        started=record.started + len(executions),
        missed=record.missed + len(done) - len(executions),
    )


def _count(outcome: str, number: int) -> None:
    if number:
        _TICKS.child(outcome).inc(number)
