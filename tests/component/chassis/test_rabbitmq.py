"""The bus on a real RabbitMQ, where connections break, queues vanish and consumers die."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import aiormq
import msgspec
import pytest

from chassis.errors import Invalid, NotFound, Unavailable
from chassis.messaging.port import CloudEvent, DeadLetter
from chassis.messaging.rabbitmq.bus import RabbitBus
from chassis.messaging.rabbitmq.session import opened
from chassis.messaging.rabbitmq.topology import DELIVERY_LIMIT
from tests.support.broker import Broker, Graveyard, Heard, broker, event
from tests.support.ports import free_port
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually

QUEUES = ("inbox", "later")


@pytest.fixture
async def place() -> AsyncIterator[Broker]:
    async with broker(*QUEUES) as place:
        yield place


@pytest.fixture
async def proxy(place: Broker) -> AsyncIterator[TcpProxy]:
    there = urlsplit(place.url)
    async with TcpProxy(there.hostname or "", there.port or 5672) as proxy:
        yield proxy


def through(place: Broker, proxy: TcpProxy) -> str:
    there = urlsplit(place.url)
    return there._replace(
        netloc=f"{there.username}:{there.password}@127.0.0.1:{proxy.port}"
    ).geturl()


async def publish_until_safe(bus: RabbitBus, events: list[CloudEvent]) -> int:
    """As the relay does; how often it took."""
    for attempt in range(1, 200):
        try:
            await bus.publish(events)
        except Unavailable:
            await asyncio.sleep(0.01)
        else:
            return attempt
    raise AssertionError("it was never published")


async def test_a_service_starts_without_a_broker_and_says_so(place: Broker) -> None:
    async with place.bus(url=f"amqp://guest:guest@127.0.0.1:{free_port()}/", patience=0.05) as bus:
        with pytest.raises(Unavailable, match="reached"):
            await bus.check()
        with pytest.raises(Unavailable):
            await bus.publish([event("1")])


async def test_a_broker_that_hangs_up_while_it_is_greeted_cannot_be_reached(
    place: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs_up(*_: object, **__: object) -> None:
        # The driver's word for an end that has come before it looks for the next frame: a matter of microseconds.
        raise StopAsyncIteration

    with monkeypatch.context() as patched:
        patched.setattr(aiormq, "connect", hangs_up)
        with pytest.raises(ConnectionError):
            async with opened(place.url, place.names, "test"):
                pytest.fail("it was opened")


async def test_what_must_not_be_missed_waits_for_a_consumer_that_was_never_there(
    place: Broker,
) -> None:
    async with place.bus() as publisher:
        publisher.expect("later", ["test.*"])
        await publisher.publish([event("1"), event("2")])
    heard = Heard()
    async with place.bus() as consumer:
        consumer.subscribe("later", ["test.*"], heard)
        await heard.has("1", "2")


async def test_a_connection_that_breaks_while_publishing_loses_nothing_and_keeps_the_order(
    place: Broker, proxy: TcpProxy
) -> None:
    heard = Heard()
    ids = [str(n) for n in range(600)]
    async with place.bus() as consumer, place.bus(url=through(place, proxy)) as publisher:
        consumer.subscribe("inbox", ["test.*"], heard)
        publisher.expect("inbox", ["test.*"])
        await publisher.publish([event("first")])
        passed = 0

        def cutting(piece: bytes) -> bytes:
            nonlocal passed
            passed += len(piece)
            if 40_000 < passed < 200_000:
                passed = 200_000
                raise ConnectionResetError
            return piece

        proxy.to_server = cutting
        assert await publish_until_safe(publisher, [event(id) for id in ids]) > 1
        await heard.has("first", *ids, within=30)


async def test_a_consumer_comes_back_after_its_connection_broke(
    place: Broker, proxy: TcpProxy
) -> None:
    heard = Heard()
    async with place.bus(url=through(place, proxy)) as consumer, place.bus() as publisher:
        consumer.subscribe("inbox", ["test.*"], heard)
        publisher.expect("inbox", ["test.*"])
        for round in range(5):
            await publisher.publish([event(str(round))])
            await heard.has(*(str(n) for n in range(round + 1)))
            proxy.cut()


async def test_a_network_that_swallows_everything_is_told_and_outlived(
    place: Broker, proxy: TcpProxy
) -> None:
    async with place.bus(url=through(place, proxy), confirm=1.0) as bus:
        heard = Heard()
        bus.subscribe("inbox", ["test.*"], heard)
        await publish_until_safe(bus, [event("1")])
        proxy.freeze()
        with pytest.raises(Unavailable, match="confirm"):
            await bus.publish([event("2")])
        proxy.thaw()
        await publish_until_safe(bus, [event("2")])
        await heard.has("1", "2")


async def test_a_queue_that_somebody_deletes_is_restored_with_its_consumer(place: Broker) -> None:
    heard = Heard()
    async with place.bus() as bus, place.channel() as channel:
        bus.subscribe("inbox", ["test.*"], heard)
        await bus.publish([event("1")])
        await heard.has("1")
        await channel.queue_delete(place.names.queue("inbox"))
        await publish_until_safe(bus, [event("2")])
        await heard.has("1", "2")


async def test_an_exchange_that_somebody_deletes_is_restored(place: Broker) -> None:
    heard = Heard()
    async with place.bus() as bus, place.channel() as channel:
        bus.subscribe("inbox", ["test.*"], heard)
        await bus.publish([event("1")])
        await channel.exchange_delete(place.names.events)
        await publish_until_safe(bus, [event("2")])
        await heard.has("1", "2")


async def test_a_queue_of_another_shape_makes_the_service_unwell_with_the_reason(
    place: Broker,
) -> None:
    async with place.channel() as channel:
        await channel.queue_declare(
            place.names.queue("inbox"), durable=True, arguments={"x-queue-type": "quorum"}
        )
    async with place.bus(patience=0.05) as bus:
        bus.subscribe("inbox", ["test.*"], Heard())
        await eventually(lambda: unwell(bus, f"queue {place.names.queue('inbox')} on the broker"))
        async with place.channel() as channel:
            await channel.queue_delete(place.names.queue("inbox"))
        await eventually(lambda: well(bus))


async def test_processes_share_the_events_of_a_subscription(place: Broker) -> None:
    async with AsyncExitStack() as stack:
        buses = [await stack.enter_async_context(place.bus(f"p{n}")) for n in range(2)]
        heard = [Heard(), Heard()]
        for bus, one in zip(buses, heard, strict=True):
            bus.subscribe("inbox", ["test.*"], one, at_once=5)
            await bus.usable()
        await buses[0].publish([event(str(n)) for n in range(200)])
        await eventually(lambda: sum(len(one.ids) for one in heard) == 200)
        assert all(one.ids for one in heard)
        assert not set(heard[0].ids) & set(heard[1].ids)


async def test_one_process_at_a_time_hears_what_comes_in_order_and_another_takes_over(
    place: Broker,
) -> None:
    first, second = Heard(), Heard()
    async with place.bus("second") as other:
        async with place.bus("first") as bus:
            bus.subscribe("inbox", ["test.*"], first)
            await bus.publish([event("0")])
            await first.has("0")
            other.subscribe("inbox", ["test.*"], second)
            await other.usable()
            await bus.publish([event("1"), event("2")])
            await first.has("0", "1", "2")
        await other.publish([event("3")])
        await second.has("3")


async def test_a_message_over_which_consumers_die_becomes_a_dead_letter(place: Broker) -> None:
    async with place.bus() as bus, place.channel() as channel:
        graveyard = Graveyard(bus)
        bus.expect("inbox", ["test.*"], at_once=5)
        await bus.publish([event("deadly")])
        queue = place.names.queue("inbox")
        for _ in range(DELIVERY_LIMIT + 1):
            message = await channel.basic_get(queue)
            while message.delivery_tag is None:
                message = await channel.basic_get(queue)
            await channel.basic_nack(message.delivery_tag, requeue=True)
        (letter,) = await graveyard.has(1)
    assert (letter.subscription, letter.event, letter.trusted) == ("inbox", event("deadly"), True)
    assert str(DELIVERY_LIMIT) in letter.reason


async def test_what_is_given_up_is_kept_and_can_be_offered_again(place: Broker) -> None:
    heard, wrong = Heard(), True

    async def handle(event: CloudEvent) -> None:
        if wrong:
            raise Invalid("no such field")
        await heard(event)

    async with place.bus() as bus:
        graveyard = Graveyard(bus)
        bus.subscribe("inbox", ["test.*"], handle)
        await bus.publish([event("1")])
        (letter,) = await graveyard.has(1)
        assert letter == DeadLetter("inbox", event("1"), "no such field")
        wrong = False
        await bus.redeliver(letter.subscription, letter.event)
        await heard.has("1")
        with pytest.raises(NotFound):
            await bus.redeliver("nobody", letter.event)


async def test_an_event_that_no_message_can_carry_does_not_stop_those_behind_it(
    place: Broker,
) -> None:
    heard = Heard()
    async with place.bus() as bus:
        graveyard = Graveyard(bus)
        bus.subscribe("inbox", ["*"], heard)
        monster = msgspec.structs.replace(event("b"), extensions={"tale": "x" * 70_000})
        await bus.publish([event("a", type="t" * 300), monster, event("c")])
        await heard.has("c")
        letters = await graveyard.has(2)
    assert [(letter.subscription, letter.event.id) for letter in letters] == [("", "a"), ("", "b")]


async def unwell(bus: RabbitBus, reason: str) -> bool:
    try:
        await bus.check()
    except Unavailable as exc:
        return reason in exc.message
    return False


async def well(bus: RabbitBus) -> bool:
    try:
        await bus.usable()
        await bus.check()
    except Unavailable:
        return False
    return True
