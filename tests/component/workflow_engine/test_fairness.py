"""One tenant's crowd does not keep another tenant's single execution waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.support.engine_world import ADA, CALL, Bench, started
from tests.support.time import eventually
from workflow_service.application.caller import Caller
from workflow_service.application.engine.settings import EngineSettings

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
    loop = "do:\n- l: {{for: {{in: '${{ [range({})] }}'}}, do: [{{s: {{set: {{x: 1}}}}}}]}}"
    await bench.publish(loop.format(6_000))
    await bench.publish(loop.format(1_000), "other")
    ended: list[str] = []
    async with bench.process(settings=EngineSettings(advances_at_once=1)) as process:

        async def run(caller: Caller) -> None:
            ended.append((await process.start(started(caller))).tenant)

        crowd = [asyncio.create_task(run(ADA)) for _ in range(4)]
        await run(EVE)
        await asyncio.gather(*crowd)

    assert ended[0] == "other"
