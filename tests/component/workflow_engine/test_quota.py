"""A tenant has a bounded number of open executions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from chassis.errors import Invalid
from tests.support.engine_world import CALL, Bench, cancelled, retried, started
from tests.support.time import ManualClock
from workflow_service.application.caller import Caller
from workflow_service.application.engine.quota import FRESH, PerTenant, TooManyExecutions
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.problem import runtime

TWO = EngineSettings(open_executions=2)
ONE_CALL = f"do:\n- c: {CALL}"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as bench:
        await bench.publish(ONE_CALL)
        yield bench


async def test_a_tenant_that_has_too_many_is_told_to_come_again(bench: Bench) -> None:
    async with bench.process(settings=TWO) as process:
        for _ in range(2):
            await process.start(started())
        with pytest.raises(TooManyExecutions, match="AUTOWORKER_LIMIT_OPEN_EXECUTIONS") as refused:
            await process.start(started())
    assert refused.value.retry_after


async def test_what_has_ended_makes_room(bench: Bench) -> None:
    async with bench.process(settings=TWO) as process:
        execution = (await process.start(started())).execution
        await process.start(started())
        await process.cancel(cancelled(execution))
        await process.start(started())
        with pytest.raises(TooManyExecutions):
            await process.start(started())


async def test_other_tenants_and_repetitions_are_not_refused(bench: Bench) -> None:
    await bench.publish(ONE_CALL, tenant="other")
    async with bench.process(settings=TWO) as process:
        first = await process.start(started(key="k"))
        await process.start(started())

        assert await process.start(started(key="k")) == await bench.summary(first.execution)
        await process.start(started(Caller("eve", "other")))


async def test_a_new_process_counts_what_is_there(bench: Bench) -> None:
    async with bench.process(settings=TWO) as process:
        for _ in range(2):
            await process.start(started())
    async with bench.process(settings=TWO) as process:
        with pytest.raises(TooManyExecutions):
            await process.start(started())


async def test_a_count_is_believed_for_some_seconds_only(bench: Bench) -> None:
    async with bench.process(settings=TWO) as one, bench.process(settings=TWO) as other:
        await one.start(started())
        await other.start(started())
        await one.start(started())
        bench.clock.advance(FRESH)
        with pytest.raises(TooManyExecutions):
            await other.start(started())


async def test_a_retry_opens_an_execution_and_counts(bench: Bench) -> None:
    async with bench.process(settings=TWO) as process:
        execution = (await process.start(started())).execution
        await bench.world.refuse(runtime("no"))
        assert (await bench.ends(execution)).status == "faulted"
        for _ in range(2):
            second = (await process.start(started())).execution
        with pytest.raises(TooManyExecutions):
            await process.retry(retried(execution))

        await process.cancel(cancelled(second))
        assert (await process.retry(retried(execution))).status == "running"
        with pytest.raises(TooManyExecutions):
            await process.start(started())


async def test_a_start_can_be_put_off_only_so_far(bench: Bench) -> None:
    async with bench.process(limits=Limits(schedule_horizon=3600.0)) as process:
        await process.start(started(run_at=bench.clock.now() + timedelta(seconds=3600)))
        with pytest.raises(Invalid) as refused:
            await process.start(started(run_at=bench.clock.now() + timedelta(seconds=3601)))
    assert "AUTOWORKER_LIMIT_SCHEDULE_HORIZON_SECONDS" in refused.value.details[0].message


LISTENS = "do:\n- l: {listen: {to: {one: {with: {type: a}}}}}"


async def test_a_tenant_has_a_bounded_number_of_subscriptions() -> None:
    one = EngineSettings(subscriptions=1)
    async with Bench.open() as bench, bench.process(settings=one) as process:
        await bench.publish(LISTENS)
        await bench.publish(LISTENS, tenant="other")
        first = await process.start(started())
        refused = await process.start(started())
        foreign = await process.start(started(Caller("eve", "other")))

        assert (first.status, foreign.status) == ("waiting", "waiting")
        assert refused.status == "faulted"
        assert refused.problem is not None
        assert "AUTOWORKER_LIMIT_SUBSCRIPTIONS" in (refused.problem.detail or "")
        await process.cancel(cancelled(first.execution))
        bench.clock.advance(timedelta(seconds=FRESH + 1).total_seconds())
        assert (await process.start(started())).status == "waiting"


async def test_those_who_come_together_are_counted_once_and_all_of_them() -> None:
    looks = 0

    async def count(tenant: str, limit: int) -> int:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return 1

    quota = PerTenant(count, ManualClock(), 10)

    taken = await asyncio.gather(*(quota.take("default") for _ in range(20)))

    assert sum(taken) == 9
    assert looks == 1
