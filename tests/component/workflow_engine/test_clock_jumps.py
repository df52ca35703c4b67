"""Timers while somebody plays with the clock (SECURITY R12): none early by the monotonic clock, none late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from random import Random

import pytest

from tests.support.engine_world import Bench, Process, started
from tests.support.time import eventually
from workflow_service.adapters.steady_clock import SteadyClock
from workflow_service.application.engine import fire_timers

HOUR, DAY = 3_600.0, 86_400.0
LATE = 20.0


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(fire_timers, "_LOOK", 0.01)
    async with Bench.open() as bench:
        bench.engine_clock = SteadyClock(bench.clock, settle=900.0)
        yield bench


def jump(bench: Bench, seconds: float) -> None:
    bench.clock.set(bench.clock.now() + timedelta(seconds=seconds))


async def ended(bench: Bench, execution: str) -> bool:
    return (await bench.summary(execution)).ended_at is not None


async def parked(bench: Bench, process: Process, seconds: float) -> str:
    await bench.publish("do:\n- w: {wait: '${ .for }'}")
    begun = await process.start(started(input={"for": f"PT{seconds:g}S"}))
    return begun.execution


async def looked(bench: Bench) -> None:
    """Let the timers look at the clock a few times."""
    await asyncio.sleep(0.03)


@pytest.mark.parametrize("by", [2 * HOUR, -2 * HOUR, DAY, -DAY])
async def test_a_jump_fires_nothing_early_and_holds_nothing_up(bench: Bench, by: float) -> None:
    async with bench.process() as process:
        execution = await parked(bench, process, 60)
        jump(bench, by)
        bench.clock.advance(59.9)
        await looked(bench)
        assert not await ended(bench, execution)
        bench.clock.advance(0.1)
        await eventually(lambda: ended(bench, execution), within=LATE)


async def test_fifty_jumps_and_every_timer_fires_when_its_time_has_passed(bench: Bench) -> None:
    random = Random(12)
    async with bench.process() as process:
        due = {
            await parked(bench, process, seconds): bench.clock.monotonic() + seconds
            for seconds in (random.randint(1, 100) for _ in range(20))
        }
        for _ in range(50):
            jump(bench, random.choice([2 * HOUR, -2 * HOUR, DAY, -DAY]))
            bench.clock.advance(2)
            now = bench.clock.monotonic()
            for execution in [each for each, at in due.items() if at <= now]:
                await eventually(partial(ended, bench, execution), within=LATE)
                del due[execution]
            for execution in due:
                assert not await ended(bench, execution)
        assert not due


async def test_a_clock_that_was_put_right_is_followed_once_it_is_believed(bench: Bench) -> None:
    async with bench.process() as process:
        await bench.publish("do:\n- a: {set: {x: 1}}")
        moment = bench.clock.now() + timedelta(hours=2)
        execution = (await process.start(started(run_at=moment))).execution
        jump(bench, 2 * HOUR)
        await looked(bench)
        assert not await ended(bench, execution)
        bench.clock.advance(900)
        await eventually(lambda: ended(bench, execution), within=LATE)


async def test_a_clock_that_was_put_back_holds_timers_up_by_no_more_than_the_jump(
    bench: Bench,
) -> None:
    async with bench.process() as process:
        execution = await parked(bench, process, 1_000)
        jump(bench, -2 * HOUR)
        await looked(bench)  # it is seen, and believed 900 s later
        bench.clock.advance(900)
        await looked(bench)
        bench.clock.advance(100 + 2 * HOUR)
        await eventually(lambda: ended(bench, execution), within=LATE)
