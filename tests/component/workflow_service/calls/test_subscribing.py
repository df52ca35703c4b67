"""`call: asyncapi` that receives: from a real broker, from a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aio_pika
import pytest
from aiohttp import web

from chassis.clock import SystemClock
from chassis.lifecycle import Supervisor
from tests.component.workflow_service.calls.channels import (
    PLACE,
    Broker,
    open_broker,
    version_2,
)
from tests.component.workflow_service.egress.conftest import Server
from tests.support.documents import Documents
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient
from workflow_service.adapters.task_runners.asyncapi import sources
from workflow_service.adapters.task_runners.asyncapi.library import Library
from workflow_service.adapters.task_runners.asyncapi.subscribing import Subscriber, Subscriptions
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    Credentials,
    Resource,
)
from workflow_service.domain.execution.effects import (
    AsyncApiReceive,
    AsyncApiTarget,
    Effect,
    Failed,
    Succeeded,
)
from workflow_service.domain.execution.problem import ERRORS

PATIENCE = 30.0


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with open_broker() as broker:
        yield broker


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    async with Supervisor() as supervisor:
        yield supervisor


class Listener:
    """One subscription after another, to the channel of one document."""

    def __init__(
        self,
        egress: EgressClient,
        supervisor: Supervisor,
        document: str,
        credentials: Credentials | None = None,
        **limits: Any,
    ) -> None:
        self._target = AsyncApiTarget(Resource(PLACE), operation="op", credentials=credentials)
        self.subscriber = Subscriber(
            egress,
            AuthenticatedEgress(egress),
            Library(Documents({PLACE: document})),
            Subscriptions(supervisor.start, SystemClock(), **limits),
        )

    async def next(
        self,
        most: int = 1,
        seconds: float | None = PATIENCE,
        subscription: str = "e1:/do/0/a",
        enough: bool = False,
    ) -> Any:
        """The next messages, or a problem."""
        until = None if seconds is None else SystemClock().now() + timedelta(seconds=seconds)
        call = AsyncApiReceive(self._target, subscription, most, until, enough)
        match await self.subscriber.perform("e1", Effect(1, "k", call, tenant="t")):
            case Succeeded(output):
                return output
            case Failed(problem):
                return problem


async def eventually(found: Any, wanted: Any) -> None:
    """Wait until *found* comes to *wanted*."""
    async with asyncio.timeout(PATIENCE):
        while await found() != wanted:  # noqa: ASYNC110 - a broker tells nobody
            await asyncio.sleep(0.01)


def on_queue(broker: Broker, name: str, **more: Any) -> str:
    bindings = {"is": "queue", **more}
    return version_2(broker.place, "amqp", broker.name(name), channel_bindings=bindings)


async def tell(broker: Broker, name: str, *numbers: int, **more: Any) -> None:
    for number in numbers:
        message = aio_pika.Message(f'{{"n":{number}}}'.encode(), **more)
        _ = await broker.channel.default_exchange.publish(message, broker.name(name))


def numbers(messages: Any) -> list[int]:
    return [each["payload"]["n"] for each in messages]


# ------------------------------------------------------------ AMQP
async def test_messages_of_a_queue_come_in_order_and_are_acknowledged(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    queue = await broker.queue("orders")
    await tell(broker, "orders", 1, 2, 3, headers={"x": 1}, correlation_id="c7")
    login = BasicCredentials(*broker.login)
    listener = Listener(egress, supervisor, on_queue(broker, "orders"), login, idle=0.05)

    came = await listener.next(most=2)
    while len(came) < 2:
        came += await listener.next(most=2 - len(came))

    assert numbers(came) == [1, 2]
    assert came[0] == {"payload": {"n": 1}, "headers": {"x": 1}, "correlationId": "c7"}
    await eventually(consumers(queue), 0)
    await eventually(left(queue), 1)
    assert len(listener.subscriber) == 0
    await queue.delete(if_unused=False, if_empty=False)


def left(queue: Any) -> Any:
    """How many messages wait in *queue* once nobody holds any."""

    async def count() -> int:
        return int((await queue.declare()).message_count)

    return count


async def test_a_subscription_hears_through_a_queue_of_its_own_what_its_routing_key_gets(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    name = broker.name("events")
    exchange = await broker.channel.declare_exchange(name, "topic", durable=True)
    bindings = {"exchange": {"name": name, "type": "topic"}}
    document = version_2(broker.place, "amqp", "order.*", channel_bindings=bindings)
    listener = Listener(egress, supervisor, document, BasicCredentials(*broker.login))
    waiting = asyncio.create_task(listener.next())

    sent = 0
    while not waiting.done():
        message = aio_pika.Message(f'{{"n":{sent}}}'.encode())
        sent += 1
        _ = await exchange.publish(message, "order.placed", mandatory=False)
        _ = await asyncio.wait([waiting], timeout=0.02)
    first = numbers(await waiting)[0]
    # What comes while nobody asks is kept.
    _ = await exchange.publish(aio_pika.Message(b'{"n":-1}'), "order.placed")
    rest: list[int] = []
    while -1 not in rest:
        rest += numbers(await listener.next())

    assert [first, *rest] == [*range(first, sent), -1]
    await exchange.delete()


async def test_no_message_in_time_is_no_error(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    queue = await broker.queue("silent")
    login = BasicCredentials(*broker.login)
    listener = Listener(egress, supervisor, on_queue(broker, "silent"), login)

    assert await listener.next(seconds=0.05) == []
    assert len(listener.subscriber) == 0
    await queue.delete(if_unused=False, if_empty=False)


async def test_a_subscription_that_is_given_up_leaves_its_messages_to_others(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    queue = await broker.queue("given-up")
    login = BasicCredentials(*broker.login)
    listener = Listener(egress, supervisor, on_queue(broker, "given-up"), login)
    waiting = asyncio.create_task(listener.next(seconds=None))
    await eventually(consumers(queue), 1)

    _ = waiting.cancel()
    await asyncio.wait([waiting])
    await eventually(consumers(queue), 0)
    await tell(broker, "given-up", 1)

    assert (await queue.get(timeout=20)).body == b'{"n":1}'
    await queue.delete(if_unused=False, if_empty=False)


def consumers(queue: Any) -> Any:
    async def count() -> int:
        return int((await queue.declare()).consumer_count)

    return count


async def test_a_queue_that_is_deleted_is_an_error(
    egress: EgressClient, broker: Broker, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_WATCH", 0.02)
    queue = await broker.queue("doomed")
    login = BasicCredentials(*broker.login)
    listener = Listener(egress, supervisor, on_queue(broker, "doomed"), login)
    waiting = asyncio.create_task(listener.next(seconds=None))
    await eventually(consumers(queue), 1)

    await queue.delete(if_unused=False, if_empty=False)

    assert (await waiting).type == ERRORS + "communication"


async def test_what_is_not_there_or_not_allowed_is_an_error(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    login = BasicCredentials(*broker.login)
    nowhere = await Listener(egress, supervisor, on_queue(broker, "nowhere"), login).next()
    wrong = BasicCredentials("guest", "wrong")
    stranger = await Listener(egress, supervisor, on_queue(broker, "x"), wrong).next()
    async with EgressClient() as closed:
        refused = await Listener(closed, supervisor, on_queue(broker, "x"), login).next()

    assert (nowhere.type, nowhere.status) == (ERRORS + "communication", 404)
    assert (stranger.type, stranger.status) == (ERRORS + "authentication", 401)
    assert (refused.type, refused.status) == (ERRORS + "authorization", 403)


async def test_without_bindings_a_channel_is_the_queue_of_its_name(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    queue = await broker.queue("plain")
    await tell(broker, "plain", 1)
    document = version_2(broker.place, "amqp", broker.name("plain"))
    listener = Listener(egress, supervisor, document, BasicCredentials(*broker.login))

    assert numbers(await listener.next(enough=True)) == [1]
    await queue.delete(if_unused=False, if_empty=False)


async def test_when_it_is_enough_nothing_is_held_back_from_others(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    queue = await broker.queue("enough")
    await tell(broker, "enough", 1, 2)
    login = BasicCredentials(*broker.login)
    listener = Listener(egress, supervisor, on_queue(broker, "enough"), login)

    assert numbers(await listener.next(enough=True)) == [1]

    assert len(listener.subscriber) == 0
    await eventually(left(queue), 1)
    await queue.delete(if_unused=False, if_empty=False)


async def test_a_message_that_is_too_large_is_an_error_and_does_not_come_again(
    egress: EgressClient, broker: Broker, supervisor: Supervisor
) -> None:
    queue = await broker.queue("large")
    message = aio_pika.Message(b"x" * 101)
    _ = await broker.channel.default_exchange.publish(message, broker.name("large"))
    login = BasicCredentials(*broker.login)
    listener = Listener(egress, supervisor, on_queue(broker, "large"), login, bytes=100)

    problem = await listener.next()

    assert (problem.type, problem.status) == (ERRORS + "communication", 500)
    await eventually(consumers(queue), 0)
    await eventually(left(queue), 0)
    await queue.delete(if_unused=False, if_empty=False)


async def test_a_service_that_stops_gives_subscriptions_up_and_records_nothing(
    egress: EgressClient, broker: Broker
) -> None:
    queue = await broker.queue("stopping")
    login = BasicCredentials(*broker.login)
    async with Supervisor() as supervisor:
        listener = Listener(egress, supervisor, on_queue(broker, "stopping"), login)
        waiting = asyncio.create_task(listener.next(seconds=None))
        await eventually(consumers(queue), 1)

    with pytest.raises(asyncio.CancelledError):
        await waiting
    await eventually(consumers(queue), 0)
    await queue.delete(if_unused=False, if_empty=False)


# ------------------------------------------------------------ WebSocket
async def test_messages_of_a_websocket_are_kept_between_two_questions(
    egress: EgressClient, documents: Server, supervisor: Supervisor
) -> None:
    async def talk(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for text in ('{"n":1}', "plain", '{"n":3}'):
            await socket.send_str(text)
        _ = await socket.receive()
        return socket

    documents.answer = talk
    document = version_2(f"127.0.0.1:{documents.port}", "ws", "chat")
    listener = Listener(egress, supervisor, document, BearerCredentials("t0"))

    came = [await listener.next() for _ in range(3)]

    assert [each[0]["payload"] for each in came] == [{"n": 1}, "plain", {"n": 3}]
    assert len(documents.requests) == 1
    assert documents.requests[0].headers["Authorization"] == "Bearer t0"


async def test_a_websocket_that_closes_is_an_error_after_its_messages(
    egress: EgressClient, documents: Server, supervisor: Supervisor
) -> None:
    async def talk(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str('{"n":1}')
        await socket.close()
        return socket

    documents.answer = talk
    document = version_2(f"127.0.0.1:{documents.port}", "ws", "chat")
    listener = Listener(egress, supervisor, document)

    assert numbers(await listener.next()) == [1]
    assert (await listener.next()).type == ERRORS + "communication"


async def test_over_http_there_is_nothing_to_subscribe_to(
    egress: EgressClient, supervisor: Supervisor
) -> None:
    problem = await Listener(egress, supervisor, version_2("a.test", "http", "x")).next()

    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)


async def test_there_are_as_many_subscriptions_as_the_limit_says(
    egress: EgressClient, documents: Server, supervisor: Supervisor
) -> None:
    async def talk(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("{}")
        _ = await socket.receive()
        return socket

    documents.answer = talk
    document = version_2(f"127.0.0.1:{documents.port}", "ws", "chat")
    listener = Listener(egress, supervisor, document, most=1)

    assert await listener.next(subscription="a") == [{"payload": {}, "headers": {}}]
    problem = await listener.next(subscription="b")

    assert (problem.type, problem.status) == (ERRORS + "runtime", 500)
    assert "AUTOWORKER_LIMIT_CHANNEL_SUBSCRIPTIONS" in problem.detail
