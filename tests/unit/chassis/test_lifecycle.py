import asyncio
import contextvars
import gc
import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from chassis.errors import CannotStart
from chassis.lifecycle import (
    Supervisor,
    WorkFailed,
    collecting_less,
    run_until_stopped,
    undisturbed,
)
from tests.support.time import eventually


async def for_ever() -> None:
    await asyncio.Event().wait()


async def dies() -> None:
    raise ValueError("broken")


async def supervising(**work: Coroutine[Any, Any, None]) -> None:
    async with Supervisor() as supervisor:
        for name, each in work.items():
            _ = supervisor.start(name, each)
        await for_ever()


async def test_leaving_a_supervisor_stops_its_work() -> None:
    async with Supervisor() as supervisor:
        task = supervisor.start("waits", for_ever())
    assert task.cancelled()


async def test_long_lived_work_that_dies_cancels_the_block_and_is_named() -> None:
    with pytest.raises(WorkFailed, match="pump failed") as caught:
        await supervising(pump=dies())
    assert isinstance(caught.value.__cause__, ValueError)


async def test_the_first_failure_is_the_one_that_is_told() -> None:
    with pytest.raises(WorkFailed, match="first"):
        await supervising(first=dies(), second=dies())


async def test_waiting_for_failure_ends_with_it() -> None:
    supervisor = Supervisor()
    _ = supervisor.start("pump", dies())
    with pytest.raises(WorkFailed, match="pump"):
        await supervisor.failed()
    with pytest.raises(WorkFailed, match="pump"):
        await supervisor.failed()
    await supervisor.stop(deadline=20)


async def test_short_lived_work_may_fail_without_stopping_anything() -> None:
    async with Supervisor() as supervisor:
        task = supervisor.spawn("mail", dies())
        await eventually(task.done)


async def test_short_lived_work_is_let_finish() -> None:
    finished = asyncio.Event()

    async def soon() -> None:
        await asyncio.sleep(0.01)
        finished.set()

    async with Supervisor() as supervisor:
        _ = supervisor.spawn("soon", soon())
    assert finished.is_set()


async def test_work_that_does_not_end_in_time_is_cancelled_and_then_left_behind() -> None:
    stubborn_started, release = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        stubborn_started.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    supervisor = Supervisor()
    task = supervisor.spawn("stubborn", stubborn())
    await stubborn_started.wait()
    await supervisor.stop(deadline=0.05)
    assert not task.done()
    release.set()
    await eventually(task.done)


async def test_an_error_of_the_block_itself_goes_before_failures_of_work() -> None:
    async def broken_block() -> None:
        async with Supervisor() as supervisor:
            _ = supervisor.start("waits", for_ever())
            raise KeyError("of the block")

    with pytest.raises(KeyError):
        await broken_block()


async def test_a_cancellation_from_outside_stays_a_cancellation() -> None:
    inside = asyncio.Event()

    async def service() -> None:
        async with Supervisor() as supervisor:
            _ = supervisor.start("waits", for_ever())
            inside.set()
            await for_ever()

    task = asyncio.create_task(service())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_starts_once_it_is_stopping() -> None:
    supervisor = Supervisor()
    await supervisor.stop(deadline=0.1)
    with pytest.raises(RuntimeError, match="stopping"):
        _ = supervisor.start("late", for_ever())


async def test_work_inherits_nothing_of_whoever_started_it() -> None:
    variable = contextvars.ContextVar("variable", default="empty")
    variable.set("of the request")
    seen: list[str] = []

    async def look() -> None:
        seen.append(variable.get())

    async with Supervisor() as supervisor:
        await supervisor.spawn("look", look())
    assert seen == ["empty"]


@asynccontextmanager
async def service(log: list[str], ready: asyncio.Event) -> AsyncIterator[None]:
    log.append("started")
    ready.set()
    yield
    log.append("stopped")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_the_service_and_the_exit_code_is_0(number: int) -> None:
    log: list[str] = []
    ready = asyncio.Event()
    running = asyncio.create_task(run_until_stopped(service(log, ready)))
    await ready.wait()
    await asyncio.sleep(0)
    os.kill(os.getpid(), number)
    assert await running == 0
    assert log == ["started", "stopped"]


async def test_a_service_that_cannot_start_exits_with_1() -> None:
    class Unlucky(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            raise CannotStart("port 8080 is taken")

        async def __aexit__(self, *exc: object) -> None:
            raise AssertionError("it never started")

    assert await run_until_stopped(Unlucky()) == 1


async def test_a_service_whose_work_dies_exits_with_1() -> None:
    @asynccontextmanager
    async def fragile() -> AsyncIterator[None]:
        async with Supervisor() as supervisor:
            _ = supervisor.start("pump", dies())
            yield

    assert await run_until_stopped(fragile()) == 1


async def test_a_service_that_does_not_drain_in_time_exits_with_1() -> None:
    ready = asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        ready.set()
        yield
        await for_ever()

    running = asyncio.create_task(run_until_stopped(slow(), drain=0.02))
    await ready.wait()
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGTERM)
    assert await running == 1


def test_a_started_service_is_left_alone_by_the_collector_until_it_stops() -> None:
    before = gc.get_threshold()
    with collecting_less():
        assert gc.get_freeze_count() > 0
        assert gc.get_threshold()[0] > before[0]
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before


async def test_what_must_not_be_disturbed_ends_before_its_cancellation_takes_effect() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    done: list[str] = []

    async def exchange() -> None:
        begun.set()
        await go_on.wait()
        done.append("exchange")

    task = asyncio.ensure_future(undisturbed(exchange()))
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0)
    assert not done
    go_on.set()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["exchange"]


async def test_what_is_not_disturbed_gives_its_result_or_its_failure() -> None:
    async def seven() -> int:
        return 7

    async def fails() -> int:
        raise ValueError("no")

    assert await undisturbed(seven()) == 7
    with pytest.raises(ValueError, match="no"):
        await undisturbed(fails())
