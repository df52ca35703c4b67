"""Watching a history as it goes on: no gaps, no repetitions, and an end."""

from __future__ import annotations

import asyncio

from protos.workflow.v1 import workflow_pb2 as pb
from tests.component.workflow_service.world import User, World
from tests.support.time import eventually
from workflow_service.domain.execution.effects import Failed, Succeeded
from workflow_service.domain.execution.problem import runtime


async def watched(user: User, execution: str, after: int = 0) -> list[pb.HistoryEvent]:
    return [event async for event in user.watch(execution, after)]


async def test_what_has_ended_is_replayed_and_over(ada: User) -> None:
    done = await ada.start("greet", {"name": "x"}, wait=5)
    whole = list((await ada.history(done.id)).events)

    assert await watched(ada, done.id) == whole
    assert await watched(ada, done.id, after=2) == whole[2:]
    assert await watched(ada, done.id, after=len(whole)) == []


async def test_what_happens_is_seen_as_it_happens(suite: World, ada: User) -> None:
    suite.callees.hold()
    begun = await ada.start("call", {"n": 1})
    seen: list[pb.HistoryEvent] = []

    async def watch() -> None:
        async for event in ada.watch(begun.id):
            seen.append(event)  # noqa: PERF401 - seen as they come, not at the end

    watching = asyncio.ensure_future(watch())
    await eventually(lambda: bool(seen) and seen[-1].type.endswith("task.started.v1"))
    suite.callees.release()
    await asyncio.wait_for(watching, 10)

    assert seen == list((await ada.history(begun.id)).events)
    assert seen[-1].type == "io.serverlessworkflow.workflow.completed.v1"


async def test_many_watch_the_same(suite: World, ada: User) -> None:
    suite.callees.hold()
    begun = await ada.start("call", {"n": 1})
    watching = [asyncio.ensure_future(watched(ada, begun.id, n % 3)) for n in range(20)]
    await asyncio.sleep(0)
    suite.callees.release()

    found = await asyncio.wait_for(asyncio.gather(*watching), 10)

    whole = list((await ada.history(begun.id)).events)
    assert found == [whole[n % 3 :] for n in range(20)]


async def test_a_fault_that_was_retried_is_not_the_end(suite: World, ada: User) -> None:
    suite.callees.outcome = lambda _: Failed(runtime("no"))
    done = await ada.start("call", wait=5)
    faulted = await watched(ada, done.id)
    assert faulted[-1].type == "io.serverlessworkflow.workflow.faulted.v1"
    suite.callees.outcome = lambda _: Succeeded(1)
    suite.callees.hold()
    await ada.retry(done.id)
    watching = asyncio.ensure_future(watched(ada, done.id))
    suite.callees.release()

    whole = await asyncio.wait_for(watching, 10)

    assert whole[: len(faulted)] == faulted
    assert whole[-1].type == "io.serverlessworkflow.workflow.completed.v1"


async def test_a_stop_of_the_service_ends_the_watching(suite: World, ada: User) -> None:
    begun = await ada.start("pause")
    stream = ada.watch(begun.id)

    assert (await anext(stream)).sequence == 1
    # The fixture now stops the service while this stream is open.
