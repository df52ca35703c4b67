"""What the simulator has found in the shell, each as the shortest story that showed it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta

import pytest

from chassis.errors import Conflict
from chassis.lifecycle import Supervisor
from tests.simulation.memory_store import MemoryEventStore, MemoryTables
from tests.support.engine_world import CALL, Bench, Process, cancelled, retried, started, suspended
from tests.support.time import ManualClock, eventually
from tests.support.workflow_run import problem
from workflow_service.application.engine.fire_timers import Timers
from workflow_service.application.ports import Commit
from workflow_service.domain.execution.commands import Stimulus, Wake

ONE_CALL = f"do:\n- c: {CALL}\n- d: {{set: {{got: '${{ . }}'}}}}"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        yield bench


async def taken_over_by_another(bench: Bench, process: Process, execution: str) -> None:
    """Another process takes over what *process* works on, and goes no further."""
    other = bench.database
    await other.write(
        lambda db: db.execute(
            "UPDATE executions SET epoch = epoch + 1, node = 'other' WHERE execution = ?",
            (execution,),
        )
    )


async def test_what_was_known_before_a_take_over_does_not_keep_it_from_being_resumed(
    bench: Bench,
) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
    async with bench.process() as process:
        engine, take_over = process.engine, process.store.inner.take_over
        asked, go_on = asyncio.Event(), asyncio.Event()

        async def slow(owner: str, limit: int) -> Sequence[str]:
            asked.set()
            await go_on.wait()
            return await take_over(owner, limit)

        process.store.inner.take_over = slow  # type: ignore[method-assign]
        await asked.wait()
        with engine._active.use(execution):  # somebody asks for it just before
            await engine.stimulate(execution, Wake())
            go_on.set()
            await bench.world.answer("fine")
            assert (await bench.ends(execution)).output == {"got": "fine"}


async def test_a_person_is_answered_by_what_is_there_when_another_took_over(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        await taken_over_by_another(bench, process, execution)

        assert (await process.suspend(suspended(execution))).status == "suspended"


async def test_cancelling_while_another_takes_over_cancels(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        append = process.store.inner.append
        once = iter([True])

        async def overtaken(commit: Commit) -> None:
            if next(once, False):
                await taken_over_by_another(bench, process, execution)
            await append(commit)

        process.store.inner.append = overtaken  # type: ignore[method-assign]
        assert (await process.cancel(cancelled(execution))).status == "cancelled"


async def test_an_effect_does_not_begin_after_its_cancellation_was_acknowledged(
    bench: Bench,
) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process() as process:
        append = process.store.inner.append
        committed, go_on = asyncio.Event(), asyncio.Event()

        async def slow(commit: Commit) -> None:
            await append(commit)
            if commit.expected == 0:
                committed.set()
                await go_on.wait()

        process.store.inner.append = slow  # type: ignore[method-assign]
        starting = asyncio.ensure_future(process.start(started()))
        await committed.wait()
        found = await bench.database.read(
            lambda db: db.execute("SELECT execution FROM executions").fetchone()
        )
        await process.cancel(cancelled(found[0]))
        go_on.set()

        assert (await starting).status == "cancelled"
        assert not bench.world.asked


async def test_a_retry_from_one_branch_goes_on_with_all_of_them(bench: Bench) -> None:
    await bench.publish(
        f"do:\n- f: {{fork: {{branches: [{{a: {CALL}}}, {{b: {CALL}}}, {{c: {CALL}}}]}}}}"
    )
    async with bench.process() as process:
        execution = (await process.start(started())).execution
        await bench.world.asks(3)
        await bench.world.refuse(problem())
        await bench.ends(execution)
        await bench.world.asks(0)
        await process.retry(retried(execution, "/do/0/f/fork/branches/0/a"))
        for number in range(3):
            await bench.world.answer(number)
        assert (await bench.ends(execution)).output == [0, 1, 2]


async def test_an_answer_that_is_lost_while_another_is_being_settled_is_settled_too(
    bench: Bench,
) -> None:
    async with bench.process() as process:
        settling, recoveries = process.engine._settling, 0

        async def advance(execution: str, stimulus: Stimulus) -> None:
            nonlocal recoveries
            recoveries += 1
            if recoveries == 1:
                settling.settle(execution)  # as the commit of another stimulus does

        settling._advance = advance  # as the engine would
        settling.settle("e1")
        await eventually(lambda: recoveries == 2)


async def test_a_clock_that_is_set_back_does_not_lengthen_the_rest_after_a_failure() -> None:
    clock, woken = ManualClock(), 0

    async def advance(execution: str, stimulus: Stimulus) -> None:
        nonlocal woken
        woken += 1
        if woken == 1:
            raise Conflict("not now")

    async with Supervisor(deadline=0.01) as supervisor:
        timers = Timers(_DueUntil(lambda: woken > 1), clock, supervisor, advance)
        _ = supervisor.start("timers", timers.run())
        await eventually(lambda: woken == 1)
        clock.set(clock.now() - timedelta(hours=2))
        clock.advance(2)
        timers.expect(clock.now() - timedelta(days=1))

        await eventually(lambda: woken > 1)


class _DueUntil(MemoryEventStore):
    """One execution is due, until that is enough."""

    def __init__(self, enough: Callable[[], bool]) -> None:
        super().__init__(MemoryTables(), "node", ManualClock().now)
        self._enough = enough

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return it."""
        return [] if self._enough() else ["e1"]
