"""Executions that are left to all processes: begun by whoever hears of them, and found in the store when nobody does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tests.support.engine_world import (
    CALL,
    Bench,
    Process,
    cancelled,
    resumed,
    started,
    suspended,
)
from tests.support.time import eventually
from workflow_service.application.ports import Summary
from workflow_service.domain.execution.commands import Wake
from workflow_service.domain.execution.events import TaskCompleted
from workflow_service.domain.execution.schedule import LEFT
from workflow_service.domain.execution.workflow_events import WorkflowCompleted, WorkflowStarted

CALLS = f"do:\n- c: {CALL}"
SETS = "do:\n- a: {set: {x: 1}}"
SHORT_OF_IT = LEFT.total_seconds() - 0.1


@dataclass(slots=True)
class Deaf:
    """Others are there, and hear nothing until the test wants it."""

    works: bool = True
    offered: list[Summary] = field(default_factory=list)

    def offer(self, accepted: Summary) -> None:
        """Remember it."""
        self.offered.append(accepted)


@pytest.fixture
def others() -> Deaf:
    return Deaf()


@pytest.fixture
async def bench(others: Deaf) -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        bench.sharing = others
        yield bench


async def left(process: Process) -> str:
    """Start an execution that any process may begin."""
    summary = await process.start(replace(started(), shared=True))
    assert summary.status == "pending"
    return summary.execution


async def test_what_is_left_to_others_is_accepted_and_told_of_once(
    bench: Bench, others: Deaf
) -> None:
    await bench.publish(CALLS)
    async with bench.process() as process:
        execution = await left(process)
        assert [each.execution for each in others.offered] == [execution]
        assert len(await bench.history(execution)) == 1
        assert bench.world.asked == []


async def test_whoever_hears_of_it_goes_on_with_it(bench: Bench) -> None:
    await bench.publish(CALLS)
    async with bench.process() as here, bench.process() as there:
        execution = await left(here)
        await there.engine.stimulate(execution, Wake())
        await bench.world.asks()
        await bench.world.answer({"paid": True})
        assert (await bench.ends(execution)).output == {"paid": True}


async def test_hearing_of_it_again_changes_nothing(bench: Bench) -> None:
    await bench.publish(CALLS)
    async with bench.process() as here, bench.process() as there:
        execution = await left(here)
        for process in (there, here, there):
            await process.engine.stimulate(execution, Wake())
        await bench.world.asks()
        await bench.world.answer(None)
        await bench.ends(execution)
        await here.engine.stimulate(execution, Wake())
        facts = [type(each.event) for each in await bench.history(execution)]
        assert facts.count(WorkflowStarted) == 1
        assert facts.count(TaskCompleted) == 1
        assert facts.count(WorkflowCompleted) == 1
        assert len(bench.world.asked) == 1


async def test_what_nobody_hears_of_is_found_in_the_store_after_a_while(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        execution = await left(process)
        bench.clock.advance(SHORT_OF_IT)
        assert await bench.reader.due(bench.clock.now(), 10) == []
        bench.clock.advance(0.2)
        assert (await bench.ends(execution)).status == "completed"


async def test_a_clock_that_is_behind_begins_it_nevertheless(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        execution = await left(process)
        bench.clock.set(bench.clock.now() - timedelta(seconds=3))
        summary = await process.engine.stimulate(execution, Wake())
        assert summary.status == "completed"


async def test_it_can_be_suspended_and_resumed_before_anybody_has_begun_it(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        execution = await left(process)
        await process.suspend(suspended(execution))
        summary = await process.engine.stimulate(execution, Wake())
        assert summary.status == "suspended"
        await process.resume(resumed(execution))
        assert (await bench.ends(execution)).status == "completed"


async def test_it_can_be_cancelled_before_anybody_has_begun_it(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        execution = await left(process)
        await process.cancel(cancelled(execution))
        summary = await process.engine.stimulate(execution, Wake())
        assert summary.status == "cancelled"


async def test_nothing_is_left_to_others_that_cannot_be_told(bench: Bench, others: Deaf) -> None:
    others.works = False
    await bench.publish(SETS)
    async with bench.process() as process:
        summary = await process.start(replace(started(), shared=True))
        assert summary.status == "completed"
        assert others.offered == []


async def test_what_somebody_asks_for_is_begun_where_it_is_asked_for(
    bench: Bench, others: Deaf
) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        summary = await process.start(started())
        assert summary.status == "completed"
        assert others.offered == []


async def test_a_killed_process_leaves_it_to_the_next_one(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        execution = await left(process)
    async with bench.process():
        bench.clock.advance(LEFT.total_seconds())

        async def ended() -> bool:
            return (await bench.summary(execution)).ended_at is not None

        await eventually(ended)
