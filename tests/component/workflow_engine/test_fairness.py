"""One tenant's crowd does not keep another tenant's single execution waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import pairwise

import pytest

from tests.support.engine_world import ADA, CALL, Bench, started
from tests.support.time import eventually
from workflow_service.application.caller import Caller
from workflow_service.application.commands.start_execution import StartExecution
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.ports import Summary

EVE = Caller("eve", "other")


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        yield bench


async def publish(bench: Bench, text: str) -> None:
    for tenant in ("default", "other"):
        await bench.publish(text, tenant)


def asked_for(bench: Bench, count: int) -> bool:
    return len(bench.world.asked) == count


def loop_over(count: int, caller: Caller = ADA) -> StartExecution:
    return started(caller, input={"items": list(range(count))})


async def test_effects_of_a_crowd_delay_another_tenants_by_a_few(bench: Bench) -> None:
    await publish(bench, f"do:\n- c: {CALL}")
    async with bench.process(settings=EngineSettings(effects_at_once=2)) as process:
        for _ in range(50):
            await process.start(started(priority=9))
        single = (await process.start(started(EVE))).execution
        for number in range(4):
            await bench.world.answer()
            await eventually(partial(asked_for, bench, number + 3))
        asked = [effect.key.partition(":")[0] for effect in bench.world.asked]

    assert single in asked


async def test_a_tenant_leaves_room_for_others_whatever_it_does(bench: Bench) -> None:
    await publish(bench, f"do:\n- c: {CALL}")
    settings = EngineSettings(effects_at_once=5, effects_per_tenant=4)
    async with bench.process(settings=settings) as process:
        for _ in range(10):
            await process.start(started())
        await bench.world.asks(4)
        await process.start(started(EVE))
        await bench.world.asks(5)


async def test_timers_of_a_crowd_do_not_stand_before_another_tenants(bench: Bench) -> None:
    await publish(bench, f"do:\n- w: {{wait: PT1H}}\n- c: {CALL}")
    settings = EngineSettings(wakes_at_once=3, effects_per_host=100)
    async with bench.process() as process:
        for _ in range(60):
            await process.start(started(priority=9))
        single = (await process.start(started(EVE))).execution
    bench.clock.advance(3_600)
    woken: list[str] = []
    async with bench.process(settings=settings):
        await eventually(lambda: len(bench.world.asked) == 61)
        woken = [effect.key.partition(":")[0] for effect in bench.world.asked]

    assert woken.index(single) <= 6


async def test_long_loops_of_a_crowd_do_not_keep_another_tenants_loop_waiting(bench: Bench) -> None:
    await publish(bench, "do:\n- l: {for: {in: '${ .items }'}, do: [{s: {set: {x: 1}}}]}")
    commits: list[Summary] = []
    async with bench.process(settings=EngineSettings(advances_at_once=1)) as process:
        process.store.fails = lambda commit: commits.append(commit.summary)
        crowd = [process.start(loop_over(4_000)) for _ in range(4)]
        single = (await asyncio.gather(*crowd, process.start(loop_over(2_000, EVE))))[-1].execution
        await eventually(lambda: sum(commit.ended_at is not None for commit in commits) == 5)

    hers = [place for place, commit in enumerate(commits) if commit.execution == single]
    assert len(hers) >= 4, "her loop takes several advances"
    assert hers[-1] < len(commits) - 10, "the crowd has more to do when she is done"
    assert all(later - sooner <= 2 for sooner, later in pairwise(hers[1:]))
