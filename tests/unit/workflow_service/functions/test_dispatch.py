"""Who is given which call, when, and what becomes of calls that are given up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.support.ids import CountingIds
from tests.support.time import eventually
from workflow_service.application.functions.dispatch import Dispatcher, DispatchLimits
from workflow_service.application.functions.links import Declared, Give, Leave, Link, TakeBack
from workflow_service.domain.execution.effects import Failed, FunctionCall, Outcome, Succeeded
from workflow_service.domain.expressions import JsonValue


def dispatcher(waiting: int = 1000) -> Dispatcher:
    """An empty one."""
    return Dispatcher(CountingIds(), DispatchLimits(waiting=waiting))


def link(
    worker: str = "w1",
    *,
    concurrency: int = 1,
    versions: Sequence[str] = ("1.0.0",),
    principal: str = "ada",
    everybody: bool = False,
) -> Link:
    """A worker that serves ``resize``."""
    functions = {("resize", version): Declared("resize", version) for version in versions}
    return Link(worker, principal, "t", everybody, functions, concurrency)


def call(
    to: Dispatcher,
    arguments: JsonValue = None,
    *,
    execution: str = "e1",
    version: str = "",
    priority: int = 0,
    owner: str = "ada",
) -> asyncio.Task[Outcome]:
    """Begin a call."""
    wanted = FunctionCall(
        name="resize",
        version=version,
        arguments=arguments,
        tenant="t",
        owner=owner,
        task="/do/0/a",
        priority=priority,
    )
    return asyncio.create_task(to.perform(execution, f"{execution}:key", wanted))


async def given(worker: Link) -> Give:
    """The next task that a worker is given."""
    order = await asyncio.wait_for(worker.orders.get(), 20)
    assert isinstance(order, Give), order
    return order


async def in_order(to: Dispatcher, worker: Link, count: int) -> list[JsonValue]:
    """Answer tasks one by one; the arguments as they came."""
    seen: list[JsonValue] = []
    for _ in range(count):
        task = await given(worker)
        seen.append(task.job.call.arguments)
        to.completed(worker, task.task_id, None)
    return seen


async def settled(calls: Sequence[asyncio.Task[Outcome]]) -> None:
    """Let calls begin."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not any(each.done() for each in calls)


async def test_executions_take_turns_however_many_calls_one_of_them_has() -> None:
    to, worker = dispatcher(), link()
    calls = [call(to, f"many-{n}", execution="many") for n in range(3)]
    calls += [call(to, "few", execution="few")]
    await settled(calls)
    to.connect(worker)

    assert await in_order(to, worker, 4) == ["many-0", "few", "many-1", "many-2"]
    await asyncio.gather(*calls)


async def test_priority_comes_before_turns() -> None:
    to, worker = dispatcher(), link()
    calls = [call(to, priority, priority=priority) for priority in (0, 9, 5)]
    await settled(calls)
    to.connect(worker)

    assert await in_order(to, worker, 3) == [9, 5, 0]
    await asyncio.gather(*calls)


async def test_a_call_without_a_version_gets_the_newest_that_the_worker_serves() -> None:
    to, worker = dispatcher(), link(versions=("1.9.0", "1.10.0"))
    to.connect(worker)
    calling = call(to)
    task = await given(worker)
    to.completed(worker, task.task_id, None)

    assert task.function.version == "1.10.0"
    assert await calling == Succeeded(None)


async def test_the_worker_with_the_most_room_is_given_the_next_call() -> None:
    to, small, large = dispatcher(), link("small", concurrency=2), link("large", concurrency=4)
    to.connect(small)
    to.connect(large)
    calls = [call(to, n) for n in range(6)]
    await eventually(lambda: len(small.running) + len(large.running) == 6)

    assert (len(small.running), len(large.running)) == (2, 4)
    for each in calls:
        each.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_a_call_that_is_given_up_while_it_waits_leaves_nothing_behind() -> None:
    to, worker = dispatcher(), link(concurrency=100)
    calls = [call(to, n) for n in range(60)]
    await settled(calls)
    for each in calls[1:]:
        each.cancel()
    # Before those that were cancelled have run to their end.
    to.connect(worker)
    await asyncio.gather(*calls[1:], return_exceptions=True)

    assert await in_order(to, worker, 1) == [0]
    assert worker.orders.empty()
    assert await calls[0] == Succeeded(None)
    assert to.lacks(FunctionCall("rotate", None, "t", "ada", "/do/0/a"))


async def test_a_call_that_is_given_up_is_taken_back_and_its_room_is_kept_until_the_answer() -> (
    None
):
    to, worker = dispatcher(), link()
    to.connect(worker)
    first = call(to, 1)
    task = await given(worker)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    second = call(to, 2)
    await settled([second])

    assert await worker.orders.get() == TakeBack(task.task_id)
    assert worker.orders.empty()
    to.completed(worker, task.task_id, "late")
    assert await in_order(to, worker, 1) == [2]
    await second


async def test_one_call_more_than_may_wait_fails() -> None:
    to = dispatcher(waiting=1)
    first = call(to)
    await settled([first])
    refused = await call(to)

    assert isinstance(refused, Failed)
    assert "functions_waiting" in str(refused.problem.detail)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_losing_a_worker_twice_gives_its_task_away_once() -> None:
    to, one, two = dispatcher(), link("one"), link("two", concurrency=5)
    to.connect(one)
    calling = call(to)
    await given(one)
    to.connect(two)
    to.lost(one, "it broke")
    to.lost(one, "it broke again")
    task = await given(two)

    assert two.orders.empty()
    assert await one.orders.get() == Leave("it broke")
    to.completed(two, task.task_id, "done")
    assert await calling == Succeeded("done")


async def test_workers_of_others_are_not_given_it_unless_they_serve_everybody() -> None:
    to, eve, root = dispatcher(), link("w", principal="eve"), link("w", principal="root")
    root.everybody = True
    to.connect(eve)
    calling = call(to)
    await settled([calling])
    assert eve.orders.empty()
    to.connect(root)

    assert await in_order(to, root, 1) == [None]
    await calling
