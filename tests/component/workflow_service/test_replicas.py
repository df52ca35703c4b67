"""Two processes on one store wake each other through the broker, and need not wait for their next look."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from protos.events.v1 import events_pb2
from tests.component.workflow_service.world import Callees, World, world
from tests.support.broker import broker
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.time import eventually
from workflow_service.adapters.mongo import event_log, intake
from workflow_service.adapters.work_queues import QUEUES
from workflow_service.application.queries import watch_history
from workflow_service.domain.execution.effects import Effect, Outcome

NEVER = 3_600.0
SUBSCRIPTIONS = (
    "workflow-intake",
    "workflow-intake-identity",
    "notification-endings",
    *QUEUES.values(),
)
CALLING = """
document: {dsl: 1.0.3, namespace: test, name: calling, version: 1.0.0}
do:
  - call: {call: http, with: {method: get, endpoint: "http://shop.example/"}}
"""
LISTENING = """
document: {dsl: 1.0.3, namespace: test, name: listening, version: 1.0.0}
do:
  - hear: {listen: {to: {one: {with: {type: mill.ground}}}}}
"""


class Watched(Callees):
    """Notes whose calls were stopped."""

    stopped = 0

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        try:
            return await super().perform(execution, effect)
        except asyncio.CancelledError:
            self.stopped += 1
            raise


@pytest.fixture
def callees() -> Watched:
    return Watched()


@pytest.fixture
async def pair(
    tmp_path: Path, callees: Watched, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[World, World]]:
    """Two replicas that would look by themselves only in an hour."""
    monkeypatch.setattr(watch_history, "POLL", NEVER)
    monkeypatch.setattr(intake, "PATIENCE", NEVER)
    monkeypatch.setattr(event_log, "PATIENCE", NEVER)
    url = database_url(mongo_url(), tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        place = await stack.enter_async_context(broker(*SUBSCRIPTIONS))
        replicas: list[World] = []
        for name in ("one", "other"):
            folder = tmp_path / name
            bus = await stack.enter_async_context(place.bus("workflow"))
            replica = world(folder, callees=callees, bus=bus, AUTOWORKER_STORE_URL=url)
            replicas.append(await stack.enter_async_context(replica))
            await bus.usable()
        yield replicas[0], replicas[1]


async def test_whoever_watches_at_one_sees_at_once_what_happens_at_the_other(
    pair: tuple[World, World], callees: Watched
) -> None:
    here, there = pair[0].user(), pair[1].user()
    callees.hold()
    await here.publish(CALLING)
    started = await here.start("calling")
    await eventually(lambda: bool(callees.seen))
    seen: list[str] = []

    async def watch() -> None:
        async for event in there.watch(started.id):
            seen.append(event.type)  # noqa: PERF401 -- each is looked at as it comes

    watching = asyncio.create_task(watch())
    await eventually(lambda: "io.serverlessworkflow.task.started.v1" in seen)
    callees.release()
    async with asyncio.timeout(20):
        await watching
    assert seen[-1] == "io.serverlessworkflow.workflow.completed.v1"


async def test_an_event_that_comes_to_either_is_heard(pair: tuple[World, World]) -> None:
    here, there = pair[0].user(), pair[1].user()
    await here.publish(LISTENING)
    for number, sender in enumerate((here, there)):
        started = await here.start("listening")
        event = events_pb2.CloudEvent(id=f"e{number}", source="/mill", type="mill.ground")
        assert await sender.send(event) == 1
        assert (await there.until_ended(started.id)).status == "completed"


async def test_cancelling_at_one_stops_the_call_that_the_other_makes(
    pair: tuple[World, World], callees: Watched
) -> None:
    here, there = pair[0].user(), pair[1].user()
    callees.hold()
    await here.publish(CALLING)
    started = await here.start("calling")
    await eventually(lambda: bool(callees.seen))
    await there.cancel(started.id)
    await eventually(lambda: callees.stopped == 1)
