"""Schedules in a world whose time the test moves, with processes that can die."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import msgspec

from chassis.clock import Clock
from tests.support.engine_world import Bench, Process
from tests.support.time import eventually
from tests.support.workflow_run import definition_of
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.sqlite.definitions import SqliteDefinitions
from workflow_service.adapters.sqlite.inbound_events import SqliteInboundEvents
from workflow_service.adapters.sqlite.intake import SqliteIntake
from workflow_service.adapters.sqlite.schedules import SqliteSchedules
from workflow_service.application.caller import Caller
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.intake_reader import IntakeReader
from workflow_service.application.ports import ExecutionFilter, InboundEvent, Summary
from workflow_service.application.schedule_ports import ScheduleKey, ScheduleRecord
from workflow_service.application.schedules.arranging import Arranging
from workflow_service.application.schedules.hearing import READER, Hearing
from workflow_service.application.schedules.scheduler import Scheduler
from workflow_service.application.schedules.starting import Starting
from workflow_service.application.schedules.ticking import Ticking
from workflow_service.application.schedules.use_cases import ScheduleUseCases
from workflow_service.domain.execution.origin import ScheduledStart
from workflow_service.domain.expressions import Expressions, JsonValue

KEY = ScheduleKey("default", "test", "spec")
ID = KEY.id
AUTHOR = Caller("ada", "default")


@dataclass(slots=True)
class Planned:
    """One process that starts workflows by their schedules."""

    bench: Bench
    process: Process
    schedules: SqliteSchedules
    scheduler: Scheduler
    ticking: Ticking
    cases: ScheduleUseCases
    arranging: Arranging
    intake: SqliteIntake
    inbound: SqliteInboundEvents
    sent: int = 0

    async def publish(self, text: str) -> None:
        """Publish a version of test/spec, as the service does."""
        await self.bench.publish(text)
        await self.arranging.follow(KEY)

    async def send(self, type: str, data: JsonValue = None, *, tenant: str = "default") -> None:
        """Somebody sends an event."""
        self.sent += 1
        event = InboundEvent(
            tenant=tenant,
            sender="bob",
            id=f"{id(self)}-{self.sent}",
            source="/test",
            type=type,
            data=msgspec.json.encode(data),
        )
        await self.inbound.add([event], self.bench.clock.now())

    async def heard_all(self) -> None:
        """Wait until every event has been brought to the schedules."""
        end = await self.intake.end()

        async def there() -> bool:
            return await self.intake.load_checkpoint(READER) >= end

        await eventually(there)

    async def record(self) -> ScheduleRecord:
        """What is kept of the schedule."""
        kept = await self.schedules.get(KEY)
        assert kept is not None
        return kept.record


def version(number: str, body: str, metadata: str = "{}") -> str:
    """A document of test/spec in that version."""
    head = (
        f"{{dsl: '1.0.3', namespace: test, name: spec, version: '{number}', metadata: {metadata}}}"
    )
    definition_of(f"document: {head}\n{body}")  # it must be one
    return f"document: {head}\n{body}"


@asynccontextmanager
async def planned(bench: Bench, *, zone: str = "UTC", most: int = 100) -> AsyncIterator[Planned]:
    """Run a process; leaving the block kills it."""
    clock: Clock = bench.engine_clock or bench.clock
    async with bench.process() as process:
        schedules = SqliteSchedules(bench.database)
        starting = Starting(process.start, process.cancel, bench.summaries)
        scheduler = Scheduler(schedules, clock)
        ticking = Ticking(
            schedules,
            starting,
            bench.summaries,
            process.engine.endings,
            clock,
            most,
            scheduler.wake,
        )
        compiled = CompiledDefinitions(Expressions())
        bell = IntakeBell()
        intake = SqliteIntake(bench.database, bell=bell)
        definitions = SqliteDefinitions(bench.database)
        arranging = Arranging(
            schedules, definitions, compiled, clock, zone, 10, intake, scheduler.wake
        )
        cases = ScheduleUseCases(schedules, scheduler, starting, bench.summaries, clock)
        hearing = Hearing(schedules, definitions, compiled, clock, 1_000, scheduler.wake)
        _ = process.supervisor.start("schedules", scheduler.run(ticking))
        reader = IntakeReader(intake, READER, hearing)
        _ = process.supervisor.start("schedules-hear", reader.run())
        inbound = SqliteInboundEvents(bench.database, bell=LogBell(), intake=bell)
        yield Planned(
            bench,
            process,
            schedules,
            scheduler,
            ticking,
            cases,
            arranging,
            intake,
            inbound,
        )


async def runs(bench: Bench) -> list[Summary]:
    """All executions that the schedule has started, the first one first."""
    wanted = ExecutionFilter(tenant="default", schedule=ID)
    found = (await bench.summaries.list(wanted, 200, None)).items
    return sorted(found, key=lambda summary: (ticks_of([summary]), summary.created_at))


def ticks_of(summaries: list[Summary]) -> list[datetime]:
    """The ticks that executions were started for."""
    origins = [summary.origin for summary in summaries]
    return [each.at for each in origins if isinstance(each, ScheduledStart) and each.at is not None]
