"""Sagas in the engine's shell: killed at any moment, what is left is undone by the next process, and all ends once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.engine_world import CALL, Bench, cancelled, retried, started
from tests.support.time import eventually
from tests.support.workflow_run import problem
from workflow_service.application.engine.loading import restore
from workflow_service.application.ports import Stored
from workflow_service.domain.execution.events import TaskCompensated
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.state import Open
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
)

UNDO = f"metadata: {{compensate: [{{undo: {CALL}}}]}}"
BOOK = f"{{{UNDO}, call: http, with: {{method: get, endpoint: 'http://example.com/book'}}}}"
TRIP = f"do:\n- flight: {BOOK}\n- hotel: {BOOK}\n- car: {CALL}"
TERMINAL = (WorkflowCompleted, WorkflowFaulted, WorkflowCancelled)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        yield bench


async def facts(bench: Bench, execution: str, *kinds: type) -> list[str]:
    """The facts of some kinds."""
    found = [item.event for item in await bench.history(execution)]
    return [
        getattr(event, "task", type(event).__name__) for event in found if isinstance(event, kinds)
    ]


async def booked(bench: Bench, execution: str) -> None:
    """Flight and hotel are booked, the car is asked for."""
    for _ in range(2):
        await bench.world.asks()
        await bench.world.answer({})
    await eventually(lambda: any(e.key.endswith("car") for e in bench.world.waiting))


async def asked_to_undo(bench: Bench, what: str) -> None:
    """Somebody is asked to undo it."""
    await eventually(lambda: any(f"{what}/metadata" in e.key for e in bench.world.waiting))


async def test_a_process_that_is_killed_leaves_the_rest_to_undo_to_the_next(bench: Bench) -> None:
    await bench.publish(TRIP)
    async with bench.process() as first:
        execution = (await first.start(started())).execution
        await booked(bench, execution)
        await bench.world.refuse(problem())
        await asked_to_undo(bench, "hotel")
    async with bench.process():
        await asked_to_undo(bench, "hotel")
        await bench.world.answer({})
        await asked_to_undo(bench, "flight")
    async with bench.process():
        await asked_to_undo(bench, "flight")
        await bench.world.answer({})
        await bench.ends(execution)

    undone = [effect.key for effect in bench.world.asked if "compensate" in effect.key]
    assert undone == [
        f"{execution}:/do/1/hotel/metadata/compensate/0/undo",
        f"{execution}:/do/1/hotel/metadata/compensate/0/undo",
        f"{execution}:/do/0/flight/metadata/compensate/0/undo",
        f"{execution}:/do/0/flight/metadata/compensate/0/undo",
    ]
    assert await facts(bench, execution, TaskCompensated) == ["/do/1/hotel", "/do/0/flight"]
    assert await facts(bench, execution, *TERMINAL) == ["WorkflowFaulted"]


async def test_cancelling_undoes_and_cancelling_again_does_not_wait_for_it(bench: Bench) -> None:
    await bench.publish(TRIP)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await booked(bench, execution)

        assert (await process.cancel(cancelled(execution))).status == "running"
        await asked_to_undo(bench, "hotel")
        assert (await process.cancel(cancelled(execution))).status == "cancelled"
        await bench.world.asks(0)
    assert await facts(bench, execution, *TERMINAL) == ["WorkflowCancelled"]


async def test_without_compensations_a_cancellation_does_not_load_the_history(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
    loaded: list[str] = []

    def noted(stored: Stored) -> object:
        loaded.append(stored.head.execution)
        return restore(stored)

    monkeypatch.setattr("workflow_service.application.engine.load_execution.restore", noted)
    async with bench.process() as process:
        assert (await process.cancel(cancelled(execution))).status == "cancelled"
    assert loaded == []


async def test_what_was_given_up_goes_on_by_a_retry(bench: Bench) -> None:
    await bench.publish(TRIP)
    async with bench.process(limits=Limits(default_retries=0)) as process:
        execution = (await process.start(started())).execution
        await booked(bench, execution)
        await bench.world.refuse(problem(detail="no cars"))
        await asked_to_undo(bench, "hotel")
        await bench.world.refuse(problem(detail="closed"))
        await bench.ends(execution)
        given_up = await bench.summary(execution)
        await process.retry(retried(execution))
        for what in ("hotel", "flight"):
            await asked_to_undo(bench, what)
            await bench.world.answer({})
        await bench.ends(execution)

    assert given_up.problem is not None
    assert "was given up" in str(given_up.problem.detail)
    ended = (await bench.summary(execution)).problem
    assert ended is not None
    assert ended.detail == "no cars"


async def test_a_snapshot_in_the_middle_of_undoing_is_whole(bench: Bench) -> None:
    await bench.publish(TRIP)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await booked(bench, execution)
        await bench.world.refuse(problem())
        await asked_to_undo(bench, "hotel")
        stored = await bench.reader.load(execution)

    assert stored is not None
    state = restore(stored)
    assert isinstance(state, Open)
    assert [each.task for each in state.compensations] == ["/do/0/flight", "/do/1/hotel"]
