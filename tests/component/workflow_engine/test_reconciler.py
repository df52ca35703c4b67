"""No open execution is forgotten: each kind of zombie is planted, found, repaired and counted."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from tests.support.engine_world import CALL, Bench, resumed, started, suspended
from tests.support.time import eventually
from workflow_service.application.engine import reconcile
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.domain.execution.workflow_events import WorkflowRecovered

ONE_CALL = f"do:\n- c: {CALL}"
BY_HAND = EngineSettings(reconcile_every=0)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        yield bench


def counted(missing: str) -> float:
    labels = {"missing": missing}
    return REGISTRY.get_sample_value("workflow_zombies_repaired_total", labels) or 0.0


async def plant(bench: Bench, changes: str) -> None:
    """Damage every row."""

    def work(db: sqlite3.Connection) -> None:
        db.execute(f"UPDATE executions SET {changes}")  # noqa: S608 - of this file

    await bench.database.write(work)


async def recoveries(bench: Bench, execution: str) -> int:
    history = await bench.history(execution)
    return sum(isinstance(item.event, WorkflowRecovered) for item in history)


async def test_a_forgotten_timer_is_set_again(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}\n- a: {set: {x: 1}}")
    before = counted("timer")
    async with bench.process(settings=BY_HAND) as process:
        execution = (await process.start(started())).execution
        await plant(bench, "wake_at = NULL")
        assert await process.engine.reconciler.round() == 1
        assert await process.engine.reconciler.round() == 0
        bench.clock.advance(3_600)
        assert (await bench.ends(execution)).output == {"x": 1}

    assert counted("timer") == before + 1


async def test_a_performer_that_died_without_a_word_is_replaced(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    before = counted("performer")
    async with bench.process(settings=BY_HAND) as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        active = process.engine._active.get(execution)
        assert active is not None
        for task in list(active.effects.values()):
            task.cancel()
        await bench.world.asks(0)
        await eventually(lambda: process.engine._active.get(execution) is None)
        assert await process.engine.reconciler.round() == 1
        await bench.world.answer("fine")
        assert (await bench.ends(execution)).output == "fine"

    assert counted("performer") == before + 1
    assert len({effect.key for effect in bench.world.asked}) == 1


async def test_one_of_several_performers_is_missed_too(bench: Bench) -> None:
    await bench.publish(f"do:\n- f: {{fork: {{branches: [{{a: {CALL}}}, {{b: {CALL}}}]}}}}")
    async with bench.process(settings=BY_HAND) as process:
        execution = (await process.start(started())).execution
        await bench.world.asks(2)
        active = process.engine._active.get(execution)
        assert active is not None
        active.effects[1].cancel()
        await bench.world.asks(1)
        await eventually(lambda: 1 not in active.effects)
        assert await process.engine.reconciler.round() == 1
        await bench.world.asks(2)
        for _ in range(2):
            await bench.world.answer("x")
        assert (await bench.ends(execution)).output == ["x", "x"]

    assert len(bench.world.asked) == 3


async def test_what_belongs_to_a_dead_owner_gets_a_new_one(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process(settings=BY_HAND), bench.process(settings=BY_HAND) as doomed:
        execution = (await doomed.start(started())).execution
        await bench.world.asks()
    async with bench.process(settings=BY_HAND) as process:
        await bench.world.answer()
        await bench.ends(execution)
        await plant(bench, "node = 'dead'")
        assert await process.engine.reconciler.round() == 0


async def test_neither_work_under_way_nor_rest_nor_what_is_parked_is_disturbed(
    bench: Bench,
) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process(settings=BY_HAND) as process:
        running = (await process.start(started())).execution
        resting = (await process.start(started())).execution
        await bench.world.asks(2)
        await process.suspend(suspended(resting))
        await bench.publish("do:\n- w: {wait: PT1H}")
        assert await process.engine.reconciler.round() == 0
        await process.resume(resumed(resting))
        assert await process.engine.reconciler.round() == 0
        assert [await recoveries(bench, each) for each in (running, resting)] == [0, 0]


async def test_what_cannot_be_repaired_is_left_alone_after_some_tries(bench: Bench) -> None:
    await bench.publish("do:\n- w: {wait: PT1H}")
    async with bench.process(settings=BY_HAND) as process:
        await process.start(started())
        found = []
        for _ in range(reconcile.TRIES + 2):
            await plant(bench, "wake_at = NULL")
            found.append(await process.engine.reconciler.round())

    assert found == [1] * reconcile.TRIES + [0, 0]


async def test_many_are_looked_at_in_pages_that_end_somewhere(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "PAGE", 2)
    monkeypatch.setattr(reconcile, "PAGES", 2)
    await bench.publish("do:\n- w: {wait: PT1H}")
    async with bench.process(settings=BY_HAND) as process:
        for _ in range(7):
            await process.start(started())
        await plant(bench, "wake_at = NULL")
        rounds = [await process.engine.reconciler.round() for _ in range(3)]

    assert rounds == [4, 3, 0]


async def test_it_works_by_itself(bench: Bench) -> None:
    await bench.publish(ONE_CALL)
    async with bench.process(settings=EngineSettings(reconcile_every=0.02)) as process:
        execution = (await process.start(started())).execution
        await bench.world.asks()
        await plant(bench, "wake_at = NULL")
        for task in list(process.engine._active.get(execution).effects.values()):  # type: ignore[union-attr]
            task.cancel()
        await asyncio.sleep(0)
        await eventually(lambda: len(bench.world.asked) == 2)
