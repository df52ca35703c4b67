"""The engine's shell on a real store: commits, effects, timers, recovery, races."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.errors import Unavailable
from tests.support.engine_world import (
    ADA,
    CALL,
    Bench,
    cancelled,
    resumed,
    retried,
    started,
    suspended,
)
from tests.support.time import eventually
from tests.support.workflow_run import problem
from workflow_service.application.caller import Caller, ExecutionNotFound
from workflow_service.application.commands.cancel_execution import CancelExecution
from workflow_service.application.commands.start_execution import IdempotencyKeyReused
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.ports import Commit, ExecutionFilter, Summary
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.events import TaskCompleted
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowRecovered,
)

SETS = "do:\n- a: {set: {x: 1}}\n- b: {set: {y: '${ .x + 1 }'}}\n- c: {set: {z: '${ .y + 1 }'}}"
ONE_CALL = f"do:\n- c: {CALL}\n- d: {{set: {{got: '${{ . }}'}}}}"
TERMINAL = (WorkflowCompleted, WorkflowFaulted, WorkflowCancelled)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        yield bench


async def ends_of(bench: Bench, execution: str) -> int:
    """How many terminal events a history has."""
    return sum(isinstance(item.event, TERMINAL) for item in await bench.history(execution))


async def test_a_pure_workflow_costs_one_commit(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        summary = await process.start(started())

        assert (summary.status, summary.output) == ("completed", {"z": 3})
        assert process.store.commits == 1
    assert await bench.summary(summary.execution) == summary


async def test_n_calls_cost_n_plus_one_commits(bench: Bench) -> None:
    await bench.publish(f"do:\n- a: {CALL}\n- b: {CALL}\n- c: {CALL}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        for number in range(3):
            await bench.world.answer(number)
        assert (await bench.ends(execution)).output == 2
        assert process.store.commits == 4


async def test_waiting_for_the_end_answers_with_it(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        ending = asyncio.ensure_future(process.start(started(wait=60)))
        await bench.world.answer("fine")

        assert (await ending).output == {"got": "fine"}


async def test_waiting_in_vain_answers_with_what_is_there(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        assert (await process.start(started(wait=0.02))).status == "running"


async def test_a_killed_process_leaves_work_that_the_next_one_ends_once(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
    async with bench.process():
        await bench.world.answer("second time")
        assert (await bench.ends(execution)).output == {"got": "second time"}

    assert await ends_of(bench, execution) == 1
    assert [effect.key for effect in bench.world.asked] == [f"{execution}:/do/0/c"] * 2
    recovered = [
        i.event for i in await bench.history(execution) if isinstance(i.event, WorkflowRecovered)
    ]
    assert [event.effects for event in recovered] == [["/do/0/c"]]


async def test_a_process_that_drains_records_what_is_under_way_and_begins_nothing(
    bench: Bench,
) -> None:
    await bench.publish(f"do:\n- c: {CALL}\n- d: {CALL}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        process.engine.drain()
        await bench.world.answer("first")
        await eventually(lambda: process.store.commits == 2)
        assert bench.world.waiting == []
    async with bench.process():
        await bench.world.answer("second")
        assert (await bench.ends(execution)).output == "second"

    assert [effect.key for effect in bench.world.asked] == [
        f"{execution}:/do/0/c",
        f"{execution}:/do/1/d",
    ]


async def test_a_timer_fires_in_whatever_process_there_is_when_its_time_comes(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}\n- a: {set: {x: 1}}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
    bench.clock.advance(3601)
    async with bench.process():
        assert (await bench.ends(execution)).output == {"x": 1}


async def test_a_timer_that_comes_due_is_noticed_by_the_running_process(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT0.05S}\n- a: {set: {x: 1}}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        bench.clock.advance(0.05)
        assert (await bench.ends(execution)).output == {"x": 1}


async def test_a_delayed_start_begins_when_its_time_comes(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        later = bench.clock.now() + timedelta(hours=1)
        summary = await process.start(started(run_at=later))
        assert (summary.status, summary.started_at) == ("pending", None)
    bench.clock.advance(3600)
    async with bench.process():
        assert (await bench.ends(summary.execution)).output == {"z": 3}


async def test_a_commit_whose_answer_was_lost_is_carried_on(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        once = iter(["after"])
        process.store.fails = lambda _: next(once, None)
        with pytest.raises(Unavailable):
            await process.start(started())
        await bench.world.answer("fine")
        (execution,) = [s.execution for s in (await all_of(bench))]
        assert (await bench.ends(execution)).output == {"got": "fine"}


async def test_a_start_that_was_not_committed_never_happened(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        process.store.fails = lambda _: "before"
        with pytest.raises(Unavailable):
            await process.start(started())

    assert not await all_of(bench)
    assert not bench.world.asked


@pytest.mark.parametrize("how", ["before", "after"])
async def test_an_outcome_survives_a_store_that_is_away(bench: Bench, how: str) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        trouble = iter([how, how])
        process.store.fails = lambda _: next(trouble, None)
        await bench.world.answer("kept")

        assert (await bench.ends(execution)).output == {"got": "kept"}
    assert await ends_of(bench, execution) == 1
    completed = [
        i.event.task for i in await bench.history(execution) if isinstance(i.event, TaskCompleted)
    ]
    assert completed == ["/do/0/c", "/do/1/d"]


async def test_the_same_key_starts_one_execution(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        wanted = started(key="order-1", input={"n": 1})
        starts = [process.start(wanted) for _ in range(20)]
        ids = {summary.execution for summary in await asyncio.gather(*starts)}

        assert len(ids) == 1
        assert len(await all_of(bench)) == 1
        with pytest.raises(IdempotencyKeyReused):
            await process.start(started(key="order-1", input={"n": 2}))


async def test_keys_of_different_users_do_not_meet(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        one = await process.start(started(key="k"))
        two = await process.start(started(Caller("bob", "default"), key="k"))

        assert one.execution != two.execution


async def test_a_key_is_forgotten_after_a_day(bench: Bench) -> None:
    await bench.publish(SETS)
    async with bench.process() as process:
        one = await process.start(started(key="k"))
        bench.clock.advance(24 * 3600 + 1)

        assert (await process.start(started(key="k"))).execution != one.execution


async def test_cancelling_stops_the_effect_and_its_outcome_counts_for_nothing(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        summary = await process.cancel(cancelled(execution))

        assert summary.status == "cancelled"
        await bench.world.asks(0)
        with pytest.raises(CommandRefused, match="cancelled"):
            await process.cancel(cancelled(execution))
    assert await ends_of(bench, execution) == 1


async def test_cancelling_what_waits_for_the_end_tells_whoever_waits(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}")
    async with bench.process() as process:
        ending = asyncio.ensure_future(process.start(started(wait=60)))
        await eventually(lambda: process.store.commits == 1)
        (execution,) = [s.execution for s in await all_of(bench)]
        await process.cancel(cancelled(execution))

        assert (await ending).status == "cancelled"


async def test_cancel_and_completion_race_to_one_end(bench: Bench) -> None:
    await bench.publish(f"do:\n- c: {CALL}")
    async with bench.process() as process:
        for _ in range(30):
            execution = (await process.start(started())).execution
            await bench.world.asks()
            cancelling = asyncio.ensure_future(process.cancel(cancelled(execution)))
            await bench.world.answer(1)
            await asyncio.gather(cancelling, return_exceptions=True)
            await bench.ends(execution)
            assert await ends_of(bench, execution) == 1


async def test_a_foreign_execution_cannot_be_told_from_a_missing_one(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        for stranger in (Caller("bob", "default"), Caller("ada", "other", writes_all=True)):
            with pytest.raises(ExecutionNotFound):
                await process.cancel(CancelExecution(stranger, execution))
    assert (await bench.summary(execution)).status == "waiting"


async def test_an_administrator_reaches_all_of_the_tenant(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        admin = Caller("root", "default", reads_all=True, writes_all=True)

        assert (await process.cancel(CancelExecution(admin, execution))).status == "cancelled"


async def test_suspension_keeps_an_outcome_and_resumption_uses_it(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        assert (await process.suspend(suspended(execution))).status == "suspended"
        await bench.world.answer("kept")
        await eventually(lambda: process.store.commits == 3)
        assert (await bench.summary(execution)).status == "suspended"

        assert (await process.resume(resumed(execution))).output == {"got": "kept"}


async def test_a_suspended_execution_stays_suspended_over_a_restart(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1S}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await process.suspend(suspended(execution))
    bench.clock.advance(100)
    async with bench.process() as process:
        assert (await bench.summary(execution)).status == "suspended"
        assert (await process.resume(resumed(execution))).status == "completed"


async def test_a_faulted_execution_is_retried_from_its_fault(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.refuse(problem())
        assert (await bench.ends(execution)).status == "faulted"
        with pytest.raises(CommandRefused, match="faulted"):
            await process.cancel(cancelled(execution))
    async with bench.process() as process:
        summary = await process.retry(retried(execution))
        assert (summary.status, summary.problem, summary.ended_at) == ("running", None, None)
        await bench.world.answer("fine")
        assert (await bench.ends(execution)).output == {"got": "fine"}


async def test_a_faulted_execution_is_retried_from_an_earlier_task(bench: Bench) -> None:
    await bench.publish(f"do:\n- a: {CALL}\n- b: {CALL}")
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.answer(1)
        await bench.world.refuse(problem())
        await bench.ends(execution)
        await process.retry(retried(execution, "/do/0/a"))
        await bench.world.answer(1)
        await bench.world.answer(2)
        assert (await bench.ends(execution)).output == 2
    assert [effect.number for effect in bench.world.asked] == [1, 2, 3, 4]


async def test_a_long_loop_is_committed_in_portions_and_can_be_cancelled_meanwhile(
    bench: Bench,
) -> None:
    await bench.publish(
        "do:\n- l: {for: {in: '[range(5000)]'}, do: [{s: {set: {n: '${ $item }'}}}]}"
    )
    async with bench.process() as process:
        starting = asyncio.ensure_future(process.start(started()))
        await eventually(lambda: process.store.commits > 1)
        (summary,) = await all_of(bench)
        await process.cancel(cancelled(summary.execution))
        await starting

        assert (await bench.summary(summary.execution)).status == "cancelled"
    assert await ends_of(bench, summary.execution) == 1


async def test_snapshots_bound_what_a_load_must_read(bench: Bench) -> None:
    await bench.publish(f"do:\n- l: {{for: {{in: '[range(20)]'}}, do: [{{s: {CALL}}}]}}")
    async with bench.process(settings=EngineSettings(snapshot_every=10)) as process:
        execution = (await process.start(started())).execution
        for number in range(10):
            await bench.world.answer(number)
        await eventually(lambda: process.store.commits == 11)
        stored = await process.store.inner.load(execution)
        assert stored is not None
        assert len(stored.events) < 10
    async with bench.process():
        for number in range(10):
            await bench.world.answer(number)
        assert (await bench.ends(execution)).output == 9


async def test_a_broken_runner_faults_the_task_instead_of_leaving_it_waiting(bench: Bench) -> None:
    await bench.publish(ONE_CALL)

    async def broken(execution: str, effect: object) -> None:
        raise ZeroDivisionError("a bug")

    bench.world.perform = broken  # type: ignore[assignment,method-assign]  # that is the point
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        summary = await bench.ends(execution)

    assert summary.problem is not None
    assert summary.problem.type.endswith("/runtime")
    assert "bug" not in (summary.problem.detail or "")


async def test_higher_priorities_get_room_first(bench: Bench) -> None:
    await bench.publish(f"do:\n- c: {CALL}")
    async with bench.process(settings=EngineSettings(effects_at_once=1)) as process:
        await process.start(started())
        await bench.world.asks()
        low = await process.start(started(priority=1))
        high = await process.start(started(priority=9))
        await bench.world.answer(1)
        await eventually(lambda: len(bench.world.asked) == 2)

        assert bench.world.asked[1].key.startswith(high.execution)
        await bench.world.answer(1)
        await eventually(lambda: len(bench.world.asked) == 3)
        assert bench.world.asked[2].key.startswith(low.execution)


async def test_two_processes_on_one_store_never_end_an_execution_twice(bench: Bench) -> None:
    await bench.publish("do:\n- a: {wait: PT1S}\n- b: {wait: PT1S}\n- c: {set: {x: 1}}")
    async with bench.process() as one, bench.process():
        ids = [(await one.start(started())).execution for _ in range(20)]
        for _ in range(2):
            bench.clock.advance(1)
            await eventually(lambda: one.store.commits >= 0)
            await moved(bench, ids)
        for execution in ids:
            assert (await bench.ends(execution)).output == {"x": 1}
            assert await ends_of(bench, execution) == 1


async def moved(bench: Bench, ids: list[str]) -> None:
    """Wait until every execution has gone past the wait that came due."""

    async def past() -> bool:
        now = bench.clock.now()
        for execution in ids:
            history = await bench.history(execution)
            if history[-1].at < now:
                return False
        return True

    await eventually(past)


async def test_an_execution_that_cannot_be_advanced_does_not_keep_others_waiting(
    bench: Bench,
) -> None:
    await bench.publish("do:\n- w: {wait: PT1S}")
    async with bench.process() as process:
        broken = (await process.start(started())).execution
        fine = (await process.start(started())).execution

        def fails(commit: Commit) -> str | None:
            return "before" if commit.execution == broken else None

        process.store.fails = fails
        bench.clock.advance(1)
        assert (await bench.ends(fine)).status == "completed"


async def all_of(bench: Bench) -> list[Summary]:
    """Everything that was accepted, newest first."""
    page = await bench.summaries.list(ExecutionFilter(tenant=ADA.tenant), 100, None)
    return list(page.items)
