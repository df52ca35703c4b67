"""Three processes on one store and one broker: what events start is gone on with by all of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.messaging.rabbitmq.bus import RabbitBus
from protos.events.v1 import events_pb2
from tests.component.workflow_service.world import User, World, world
from tests.support.broker import broker
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually
from workflow_service.adapters import work_queues
from workflow_service.adapters.work_queues import QUEUES

SUBSCRIPTIONS = (
    "workflow-intake",
    "workflow-intake-identity",
    "notification-endings",
    *QUEUES.values(),
)
MANY = 18
FAIR = 2
"""How many of so many a process has at least; they get them in turns."""
PATIENCE = 120.0
pytestmark = pytest.mark.timeout(400)
ORDERED = """
document: {dsl: 1.0.3, namespace: test, name: grinding, version: 1.0.0}
schedule: {on: {one: {with: {type: mill.ordered}}}}
do:
  - call: {call: http, with: {method: get, endpoint: "http://mill.example/"}}
"""

MANY_ORDERED = f"""
document: {{dsl: 1.0.3, namespace: test, name: ordering, version: 1.0.0}}
do:
  - each:
      for: {{in: "${{ [range({MANY})] }}"}}
      do:
        - leave:
            run:
              workflow: {{namespace: test, name: grinding, version: 1.0.0}}
              await: false
"""


class Three:
    """The processes, and who sends them events."""

    def __init__(self, replicas: list[World], wire: TcpProxy) -> None:
        self.replicas = replicas
        self.wire = wire
        """To the broker, of all of them."""
        self.sent = 0

    @property
    def ada(self) -> User:
        """Somebody at the first one."""
        return self.replicas[0].user()

    @property
    def shares(self) -> list[int]:
        """How many calls each process has made."""
        return [len(each.callees.seen) for each in self.replicas]

    async def send(self, count: int) -> None:
        """Send so many events."""
        numbers = range(self.sent, self.sent + count)
        self.sent += count
        events = (
            events_pb2.CloudEvent(id=f"e{number}", source="/mill", type="mill.ordered")
            for number in numbers
        )
        assert await self.ada.send(*events) == count

    async def ended(self, count: int) -> list[str]:
        """Wait until so many executions have ended; return their ids."""

        # Asking the store again and again would keep those busy who are to work.
        await eventually(lambda: sum(self.shares) >= count, within=PATIENCE)

        async def all_ended() -> bool:
            found = await self._executions()
            return len(found) == count and all(found.values())

        await eventually(all_ended, within=PATIENCE)
        return list(await self._executions())

    async def _executions(self) -> dict[str, bool]:
        """Every one, and whether it has ended well."""
        found: dict[str, bool] = {}
        cursor = ""
        while True:
            page = await self.ada.list(name="grinding", limit=200, cursor=cursor)
            found |= {each.id: each.status == "completed" for each in page.executions}
            cursor = page.next_cursor
            if not cursor:
                return found

    async def known_to_each_other(self) -> None:
        """Return once something that was sent has been gone on with by every one."""

        async def everybody_has_some() -> bool:
            await self.send(6)
            await self.ended(self.sent)
            return min(self.shares) > 0

        await eventually(everybody_has_some, within=PATIENCE)

    async def ends_of(self, executions: Iterable[str]) -> set[int]:
        """How often each has ended."""
        histories = await asyncio.gather(*(self.ada.history(each) for each in executions))
        ended = "io.serverlessworkflow.workflow.completed.v1"
        return {[event.type for event in each.events].count(ended) for each in histories}


@pytest.fixture
async def three(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Three]:
    # However long a broker takes that shares its machine with other tests.
    monkeypatch.setattr(work_queues, "PATIENCE", PATIENCE)
    url = database_url(mongo_url(), tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        place = await stack.enter_async_context(broker(*SUBSCRIPTIONS))
        there = urlsplit(place.url)
        wire = TcpProxy(there.hostname or "", there.port or 5672)
        await stack.enter_async_context(wire)
        through = f"amqp://{there.username}:{there.password}@127.0.0.1:{wire.port}/"
        buses: list[RabbitBus] = []
        replicas: list[World] = []
        for name in ("one", "two", "three"):
            buses.append(await stack.enter_async_context(place.bus("workflow", url=through)))
            replica = world(tmp_path / name, bus=buses[-1], AUTOWORKER_STORE_URL=url)
            replicas.append(await stack.enter_async_context(replica))
        await eventually(lambda: all(bus.reaches_others for bus in buses), within=PATIENCE)
        yield Three(replicas, wire)


async def test_what_events_start_is_gone_on_with_by_all_processes(three: Three) -> None:
    await three.ada.publish(ORDERED)
    await three.known_to_each_other()
    before = three.shares
    await three.send(MANY)
    executions = await three.ended(three.sent)
    assert min(now - earlier for now, earlier in zip(three.shares, before, strict=True)) >= FAIR
    assert await three.ends_of(executions) == {1}


async def test_what_a_workflow_starts_without_awaiting_it_is_gone_on_with_by_all_processes(
    three: Three,
) -> None:
    await three.ada.publish(ORDERED)
    await three.ada.publish(MANY_ORDERED)
    await three.known_to_each_other()
    before = three.shares
    await three.ada.start(name="ordering")
    executions = await three.ended(three.sent + MANY)
    assert min(now - earlier for now, earlier in zip(three.shares, before, strict=True)) >= FAIR
    assert await three.ends_of(executions) == {1}


async def test_everything_goes_on_without_the_broker(three: Three) -> None:
    await three.ada.publish(ORDERED)
    await three.known_to_each_other()
    for replica in three.replicas:
        replica.callees.hold()
    await three.send(MANY)
    three.wire.refusing = True
    three.wire.cut()
    await three.send(MANY)
    for replica in three.replicas:
        replica.callees.release()
    executions = await three.ended(three.sent)
    assert await three.ends_of(executions) == {1}
