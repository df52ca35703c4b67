"""Work shared by queues of a real broker: by weight, once it is worked on, and never lost with whoever had it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from chassis.clock import SystemClock
from chassis.crypto.key_file import WrappingKeys
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.messaging.rabbitmq.bus import RabbitBus
from tests.support.broker import Broker, Graveyard, broker
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually
from workflow_service.adapters.work_queues import QUEUES, WEIGHTS, WorkQueues, class_of
from workflow_service.application.engine.load_execution import ExecutionVanished
from workflow_service.application.ports import Summary

MOMENT = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def accepted(execution: str, priority: int = 0) -> Summary:
    return Summary(
        execution=execution,
        namespace="test",
        name="work",
        version="1.0.0",
        digest="d",
        tenant="default",
        owner="ada",
        status="pending",
        created_at=MOMENT,
        priority=priority,
        tags=None,
        input=None,
    )


@pytest.fixture
async def place() -> AsyncIterator[Broker]:
    async with broker(*QUEUES.values()) as place:
        yield place


@asynccontextmanager
async def queues(bus: RabbitBus, room: int = 32) -> AsyncIterator[WorkQueues]:
    """What one process has of them; it tells what it is offered."""
    async with Supervisor() as supervisor:
        made = WorkQueues(bus, SystemClock(), lambda: ("another",), room)
        _ = supervisor.start("work", made.run())
        yield made


async def there(bus: RabbitBus) -> None:
    """Return once it takes and brings messages."""
    await eventually(lambda: bus.reaches_others, within=60)


class Worker:
    """Goes on with executions, once it may."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self._may = asyncio.Event()

    def release(self) -> None:
        """Let it."""
        self._may.set()

    async def __call__(self, execution: str) -> None:
        """Go on with one."""
        self.begun.append(execution)
        await self._may.wait()
        self.done.append(execution)


async def test_all_processes_have_their_share(place: Broker) -> None:
    workers = [Worker(), Worker(), Worker()]
    async with AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(place.bus()) for _ in workers]
        made = [await stack.enter_async_context(queues(bus)) for bus in buses]
        for bus, each, worker in zip(buses, made, workers, strict=True):
            worker.release()
            each.take(worker)
            await there(bus)
        for number in range(90):
            made[0].offer(accepted(f"e{number}"))
        await eventually(lambda: sum(len(each.done) for each in workers) == 90)
    assert sorted(name for each in workers for name in each.done) == sorted(
        f"e{number}" for number in range(90)
    )
    assert min(len(each.done) for each in workers) >= 10


async def test_classes_of_priorities_are_served_by_weight_while_all_of_them_wait(
    place: Broker,
) -> None:
    worker = Worker()
    async with place.bus() as bus, queues(bus, room=1) as made:
        made.take(worker)
        await there(bus)
        made.offer(accepted("first"))
        await eventually(lambda: worker.begun == ["first"])
        for number in range(25):
            for priority in (0, 4, 9):
                made.offer(accepted(f"{class_of(priority)} {number}", priority))
        await eventually(lambda: made.waiting == 75)
        worker.release()
        await eventually(lambda: len(worker.done) == 76)
    three_rounds = Counter(name.split()[0] for name in worker.done[1:31])
    assert three_rounds == {name: 3 * weight for name, weight in WEIGHTS.items()}


def test_what_says_nothing_of_its_priority_is_normal() -> None:
    classes = [class_of(priority) for priority in range(10)]
    assert classes == ["normal"] * 4 + ["high"] * 3 + ["urgent"] * 3


async def test_what_a_dead_process_had_goes_to_another_one(place: Broker) -> None:
    dying, living = Worker(), Worker()
    living.release()
    url = urlsplit(place.url)
    everything = [f"e{number}" for number in range(60)]
    async with (
        TcpProxy(url.hostname or "", url.port or 5672) as wire,
        place.bus(url=f"amqp://{url.username}:{url.password}@127.0.0.1:{wire.port}/") as one,
        queues(one) as first,
        place.bus() as other,
        queues(other) as second,
    ):
        first.take(dying)
        await there(one)
        for name in everything:
            second.offer(accepted(name))
        await eventually(lambda: len(dying.begun) == 32)
        second.take(living)
        wire.refusing = True
        wire.cut()
        await eventually(lambda: sorted(living.done) == sorted(everything))
        assert dying.done == []
        dying.release()


async def test_a_hint_is_kept_while_the_store_is_away(place: Broker) -> None:
    failures = [Unavailable("the store is away") for _ in range(5)]
    done: list[str] = []

    async def go_on(execution: str) -> None:
        if failures:
            raise failures.pop()
        done.append(execution)

    async with place.bus() as bus, queues(bus) as made:
        made.take(go_on)
        await there(bus)
        made.offer(accepted("e1"))
        await eventually(lambda: done == ["e1"])


async def test_whoever_leaves_does_not_wait_for_a_store_that_is_away(place: Broker) -> None:
    asked: list[str] = []

    async def go_on(execution: str) -> None:
        asked.append(execution)
        raise Unavailable("the store is away")

    async with place.bus() as bus, queues(bus) as made:
        made.take(go_on)
        await there(bus)
        made.offer(accepted("e1"))
        await eventually(lambda: len(asked) > 2)
        async with asyncio.timeout(20):
            await made.leave()


async def test_a_hint_of_what_is_gone_is_done_with(place: Broker) -> None:
    asked: list[str] = []

    async def go_on(execution: str) -> None:
        asked.append(execution)
        if execution == "gone":
            raise ExecutionVanished("it never began")

    async with place.bus() as bus, queues(bus) as made:
        letters = Graveyard(bus)
        made.take(go_on)
        await there(bus)
        made.offer(accepted("gone"))
        made.offer(accepted("there"))
        await eventually(lambda: "there" in asked)
        assert asked.count("gone") == 1
        assert letters.letters == []


async def test_what_nobody_can_go_on_with_becomes_a_dead_letter(place: Broker) -> None:
    async def go_on(execution: str) -> None:
        raise RuntimeError(f"{execution} is broken")

    async with place.bus() as bus, queues(bus) as made:
        letters = Graveyard(bus)
        made.take(go_on)
        await there(bus)
        made.offer(accepted("e1", 9))
        (letter,) = await letters.has(1)
    assert (letter.subscription, letter.event.subject) == ("work.urgent", "e1")
    assert letter.reason == "e1 is broken"


async def test_who_has_no_key_can_wake_nobody(place: Broker) -> None:
    woken: list[str] = []

    async def go_on(execution: str) -> None:
        woken.append(execution)

    stranger = WrappingKeys("k1", {"k1": b"s" * 32})
    async with place.bus() as bus, queues(bus) as made, place.bus(keys=stranger) as outside:
        letters = Graveyard(bus)
        made.take(go_on)
        await there(bus)
        async with queues(outside) as forging:
            forging.offer(accepted("e1"))
            (letter,) = await letters.has(1)
    assert not letter.trusted
    assert woken == []


async def test_nothing_is_left_to_others_without_a_broker_or_without_others(place: Broker) -> None:
    async with place.bus(url="amqp://guest:guest@127.0.0.1:1/") as cut_off, place.bus() as bus:
        await there(bus)
        assert not WorkQueues(cut_off, SystemClock(), lambda: ("another",)).works
        assert not WorkQueues(bus, SystemClock(), lambda: ()).works
        assert WorkQueues(bus, SystemClock(), lambda: ("another",)).works


async def test_nothing_is_left_to_others_while_the_broker_does_not_answer(place: Broker) -> None:
    url = urlsplit(place.url)
    async with (
        TcpProxy(url.hostname or "", url.port or 5672) as wire,
        place.bus(url=f"amqp://{url.username}:{url.password}@127.0.0.1:{wire.port}/") as bus,
        queues(bus) as made,
    ):
        await there(bus)
        assert made.works
        wire.freeze()
        made.offer(accepted("e1"))
        await eventually(lambda: not made.works)
        wire.thaw()
        await eventually(lambda: made.works)
