"""Keeps the schedule of a workflow as its newest version has it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from chassis.clock import Clock
from chassis.errors import Conflict
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.event_ports import Intake
from workflow_service.application.ports import Definitions, StoredDefinition
from workflow_service.application.reached import counting_refusals
from workflow_service.application.schedule_ports import (
    KeptSchedule,
    ScheduleKey,
    ScheduleRecord,
    Schedules,
)
from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.schedules.firing import first_tick
from workflow_service.domain.schedules.gathering import Heard
from workflow_service.domain.schedules.model import Cron, On, Schedule


class TooManySchedules(Conflict):
    """The tenant has as many schedules as it may have."""


@dataclass(frozen=True, slots=True)
class Arranging:
    """Published versions come and go: what the newest one says holds.

    Args:
        schedules: kept here.
        definitions: tell which version is the newest.
        compiled: what it says.
        clock: when a schedule begins.
        zone: of cron expressions that name none.
        most: how many schedules a tenant may have.
        intake: tells which events came before a schedule began.
        arranged: told when something may be due earlier than before.
    """

    schedules: Schedules
    definitions: Definitions
    compiled: CompiledDefinitions
    clock: Clock
    zone: str
    most: int
    intake: Intake
    arranged: Callable[[], None]

    async def admit(self, key: ScheduleKey, definition: Definition) -> None:
        """Make sure that there is room for the schedule of *definition*, if it has one.

        Raises:
            TooManySchedules: there is none.
            Unavailable: the store does not answer.
        """
        if definition.schedule is None or await self.schedules.get(key) is not None:
            return
        if await self.schedules.count(key.tenant, self.most) >= self.most:
            told = f"there are {self.most} schedules already; publish one of them without first"
            with counting_refusals():
                raise TooManySchedules(beyond(told, "schedules"))

    async def follow(self, key: ScheduleKey) -> None:
        """Do as the newest version says, whoever publishes another one meanwhile; again changes nothing.

        Raises:
            Unavailable: the store does not answer.
        """
        done: StoredDefinition | None = None
        while True:
            newest = await self.definitions.newest(*key)
            if newest is None or (done is not None and newest.version == done.version):
                break
            if await self._as_in(newest, await self.schedules.get(key)):
                done = newest
        self.arranged()

    async def _as_in(self, newest: StoredDefinition, kept: KeptSchedule | None) -> bool:
        """Change what is kept to what *newest* says; False when somebody else has changed it meanwhile."""
        wanted = (await self.compiled.get(newest)).schedule
        if wanted is None:
            return kept is None or await self.schedules.remove(kept.record.key, kept.revision)
        if kept is not None and kept.record.digest == newest.digest:
            return True
        wanted = self._placed(wanted)
        begun = replace(_begun(newest, wanted, self.clock.now()), heard=await self._heard(wanted))
        if kept is None:
            return await self.schedules.put(begun, 0)
        return await self.schedules.put(_continued(kept.record, begun), kept.revision)

    async def _heard(self, schedule: Schedule) -> Heard | None:
        """Return where hearing begins: with events that come from now on."""
        if not isinstance(schedule.trigger, On):
            return None
        return Heard(position=await self.intake.end())

    def _placed(self, schedule: Schedule) -> Schedule:
        """Return the schedule with the zone that it is meant in."""
        trigger = schedule.trigger
        if isinstance(trigger, Cron) and not trigger.zone:
            return replace(schedule, trigger=replace(trigger, zone=self.zone))
        return schedule


def _begun(newest: StoredDefinition, schedule: Schedule, now: datetime) -> ScheduleRecord:
    return ScheduleRecord(
        tenant=newest.tenant,
        namespace=newest.namespace,
        name=newest.name,
        version=newest.version,
        digest=newest.digest,
        owner=newest.created_by,
        schedule=schedule,
        begun_at=now,
        next_at=first_tick(schedule.trigger, now),
    )


def _continued(old: ScheduleRecord, new: ScheduleRecord) -> ScheduleRecord:
    """Return the schedule of another version: ticks go on as they were, unless they are others now."""
    if old.schedule.trigger == new.schedule.trigger:
        return replace(
            old,
            version=new.version,
            digest=new.digest,
            owner=new.owner,
            schedule=new.schedule,
        )
    return replace(
        new,
        last_at=old.last_at,
        last_execution=old.last_execution,
        started=old.started,
        missed=old.missed,
        paused=old.paused,
    )
