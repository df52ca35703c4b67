"""What people do with schedules: look at them, halt them, start one now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

import msgspec
from msgspec.structs import replace

from chassis.audit import SettlingAudit, SilentAudit, nothing_changed
from chassis.clock import Clock
from chassis.errors import Conflict, NotFound, PermissionDenied, Unavailable
from workflow_service.application.caller import Caller
from workflow_service.application.ports import ExecutionFilter, Page, Summaries, Summary
from workflow_service.application.queries.paging import page_limit, refused
from workflow_service.application.schedule_ports import (
    KeptSchedule,
    Paused,
    ScheduleKey,
    ScheduleRecord,
    Schedules,
)
from workflow_service.application.schedules.scheduler import Scheduler
from workflow_service.application.schedules.starting import Starting
from workflow_service.domain.schedules.model import Cron, Every
from workflow_service.domain.schedules.ticks import next_tick

NEXT_RUNS: Final = 5
LAST_RUNS: Final = 10
_LONGEST_REASON: Final = 2_048
_ATTEMPTS: Final = 20


class ScheduleNotFound(NotFound):
    """There is no such schedule in the caller's tenant."""

    def __init__(self) -> None:
        super().__init__("there is no such schedule")


class ShownSchedule(msgspec.Struct, frozen=True):
    """A schedule as somebody may see it."""

    record: ScheduleRecord
    next_runs: tuple[datetime, ...]
    """The next starts, as far as they can be told."""
    last_runs: tuple[Summary, ...] = ()
    """The last executions that it started and the caller may see, newest first; lists go without them."""


@dataclass(frozen=True, slots=True)
class ScheduleUseCases:
    """Every use case of schedules; a schedule is the tenant's to see, and its owner's and administrators' to change."""

    schedules: Schedules
    scheduler: Scheduler
    starting: Starting
    summaries: Summaries
    clock: Clock
    audit: SettlingAudit = field(default_factory=SilentAudit)

    async def get(self, caller: Caller, schedule: str) -> ShownSchedule:
        """Return one, with its last runs.

        Raises:
            ScheduleNotFound: there is none.
        """
        record = (await self._kept(caller, schedule)).record
        wanted = ExecutionFilter(
            tenant=caller.tenant,
            owner=None if caller.reads_all else caller.id,
            schedule=record.key.id,
        )
        runs = await self.summaries.list(wanted, LAST_RUNS, None)
        return ShownSchedule(_seen(record, caller), _next_runs(record), runs.items)

    async def list(
        self, caller: Caller, limit: int | None, cursor: str | None
    ) -> Page[ShownSchedule]:
        """Return those of the tenant, by namespace and name.

        Raises:
            Invalid: the limit or the cursor is none.
        """
        size = page_limit(limit)
        place = ("", "")
        if cursor is not None:
            last = _parts(cursor)
            if last is None:
                raise refused("cursor", "is not a cursor that a list returned")
            place = last
        found = await self.schedules.list(caller.tenant, place, size + 1)
        shown = [ShownSchedule(_seen(each, caller), _next_runs(each)) for each in found[:size]]
        more = found[size - 1].key.id if len(found) > size else None
        return Page(tuple(shown), more)

    async def pause(self, caller: Caller, schedule: str, reason: str) -> ShownSchedule:
        """Halt: no tick counts until it is resumed. Executions that run go on.

        Raises:
            ScheduleNotFound: there is none.
            PermissionDenied: it is somebody else's.
            Conflict: it is halted already.
        """
        if len(reason) > _LONGEST_REASON:
            raise refused("reason", f"may have at most {_LONGEST_REASON} characters")

        def paused(record: ScheduleRecord) -> ScheduleRecord:
            if record.paused is not None:
                raise Conflict("the schedule is paused already")
            return replace(record, paused=Paused(self.clock.now(), caller.id, reason))

        return await self._change(caller, schedule, paused, "schedule_paused", reason)

    async def resume(self, caller: Caller, schedule: str) -> ShownSchedule:
        """Go on with the next tick; those of the pause are not made up for.

        Raises:
            ScheduleNotFound: there is none.
            PermissionDenied: it is somebody else's.
            Conflict: it is not halted.
        """

        def resumed(record: ScheduleRecord) -> ScheduleRecord:
            if record.paused is None:
                raise Conflict("the schedule is not paused")
            trigger, next_at = record.schedule.trigger, record.next_at
            if isinstance(trigger, Every | Cron):
                next_at = next_tick(trigger, record.begun_at, self.clock.now())
            return replace(record, paused=None, next_at=next_at)

        shown = await self._change(caller, schedule, resumed, "schedule_resumed", "")
        self.scheduler.wake()
        return shown

    async def trigger(self, caller: Caller, schedule: str) -> Summary:
        """Start one execution now, beside the ticks, also while the schedule is halted.

        Raises:
            ScheduleNotFound: there is none.
            PermissionDenied: it is somebody else's.
            RateLimited: the tenant has as many open executions as it may have.
        """
        kept = await self._changeable(caller, schedule)
        self.audit.record(
            "schedule_trigger_asked", tenant=caller.tenant, actor=caller.id, target=schedule
        )
        await self.audit.settled()
        return await self.starting.now(kept.record)

    async def _change(
        self,
        caller: Caller,
        schedule: str,
        change: Callable[[ScheduleRecord], ScheduleRecord],
        event: str,
        reason: str,
    ) -> ShownSchedule:
        for _ in range(_ATTEMPTS):
            kept = await self._changeable(caller, schedule)
            record = change(kept.record)
            with self.audit.along(
                event, tenant=caller.tenant, actor=caller.id, target=schedule, reason=reason
            ):
                changed = await self.schedules.put(record, kept.revision)
                if not changed:
                    nothing_changed()
            if changed:
                return ShownSchedule(_seen(record, caller), _next_runs(record))
        raise Unavailable("the schedule is changing too fast; try again", retry_after=1.0)

    async def _changeable(self, caller: Caller, schedule: str) -> KeptSchedule:
        kept = await self._kept(caller, schedule)
        if kept.record.owner != caller.id and not caller.writes_all:
            raise PermissionDenied(
                "whoever published the workflow and administrators may change it"
            )
        return kept

    async def _kept(self, caller: Caller, schedule: str) -> KeptSchedule:
        parts = _parts(schedule)
        kept = (
            None if parts is None else await self.schedules.get(ScheduleKey(caller.tenant, *parts))
        )
        if kept is None:
            raise ScheduleNotFound
        return kept


def _parts(schedule: str) -> tuple[str, str] | None:
    namespace, point, name = schedule.partition(".")
    return (namespace, name) if point and namespace and name else None


def _seen(record: ScheduleRecord, caller: Caller) -> ScheduleRecord:
    """Return *record* without the execution if that is none of the caller's business."""
    if caller.reads_all or record.owner == caller.id:
        return record
    return replace(record, last_execution="", awaited="")


def _next_runs(record: ScheduleRecord) -> tuple[datetime, ...]:
    return tuple(islice(_runs(record), NEXT_RUNS))


def _runs(record: ScheduleRecord) -> Iterator[datetime]:
    tick, trigger = record.due_at, record.schedule.trigger
    while tick is not None:
        yield tick
        if not isinstance(trigger, Every | Cron):
            return
        tick = next_tick(trigger, record.begun_at, tick)
