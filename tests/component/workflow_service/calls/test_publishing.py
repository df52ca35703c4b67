"""`call: asyncapi` that sends: over a real broker, over HTTP, over a WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web

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
from workflow_service.adapters.task_runners.asyncapi.library import Library
from workflow_service.adapters.task_runners.asyncapi.publishing import Publisher
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    Credentials,
    Resource,
    SecretCredentials,
)
from workflow_service.domain.execution.effects import (
    AsyncApiPublish,
    AsyncApiTarget,
    Effect,
    Failed,
    Succeeded,
)
from workflow_service.domain.execution.problem import ERRORS


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with open_broker() as broker:
        yield broker


async def publish(
    egress: EgressClient,
    document: str,
    payload: Any,
    credentials: Credentials | None = None,
    **more: Any,
) -> Any:
    """What sending a message comes to: data, or a problem."""
    publisher = Publisher(
        egress, AuthenticatedEgress(egress), Library(Documents({PLACE: document})), 5.0
    )
    target = AsyncApiTarget(Resource(PLACE), operation="op", credentials=credentials)
    call = AsyncApiPublish(target, payload, **more)
    match await publisher.perform("e1", Effect(1, "e1:/do/0/a", call, tenant="t")):
        case Succeeded(output):
            return output
        case Failed(problem):
            return problem


# ------------------------------------------------------------ AMQP
async def test_a_message_goes_to_the_queue_that_a_channel_stands_for(
    egress: EgressClient, broker: Broker
) -> None:
    queue = await broker.queue("orders")
    document = version_2(
        broker.place, "amqp", broker.name("orders"), channel_bindings={"is": "queue"}
    )

    output = await publish(
        egress, document, {"order": 7}, BasicCredentials(*broker.login), headers={"x": 1, "y": [2]}
    )

    assert output == {"payload": {"order": 7}, "headers": {"x": 1, "y": [2]}}
    message = await queue.get(timeout=20)
    assert message.body == b'{"order":7}'
    assert message.headers == {"x": 1, "y": "[2]"}
    assert (message.message_id, message.delivery_mode) == ("e1:/do/0/a", 2)
    await message.ack()
    await queue.delete(if_unused=False, if_empty=False)


async def test_a_message_goes_by_its_routing_key_through_the_exchange(
    egress: EgressClient, broker: Broker
) -> None:
    name = broker.name("events")
    exchange = await broker.channel.declare_exchange(name, "topic", durable=True)
    queue = await broker.queue("listener")
    await queue.bind(exchange, "order.*")
    document = version_2(
        broker.place,
        "amqp",
        "order.placed",
        channel_bindings={"is": "routingKey", "exchange": {"name": name, "type": "topic"}},
        operation_bindings={"priority": 3, "deliveryMode": 1, "expiration": 60_000},
    )

    await publish(egress, document, {"a": 1}, BasicCredentials(*broker.login))

    message = await queue.get(timeout=20)
    assert (message.routing_key, message.priority, message.delivery_mode) == ("order.placed", 3, 1)
    assert message.expiration == 60.0
    await message.ack()
    await queue.delete(if_unused=False, if_empty=False)
    await exchange.delete()


async def test_a_message_that_nobody_is_bound_for_is_an_error(
    egress: EgressClient, broker: Broker
) -> None:
    bindings = {"exchange": {"name": "amq.topic"}}
    document = version_2(broker.place, "amqp", broker.name("no"), channel_bindings=bindings)
    lenient = version_2(
        broker.place, "amqp", broker.name("no"), channel_bindings=bindings,
        operation_bindings={"mandatory": False},
    )  # fmt: skip
    login = BasicCredentials(*broker.login)

    problem = await publish(egress, document, {}, login)

    assert (problem.type, problem.status) == (ERRORS + "communication", 500)
    assert "nothing is bound" in problem.detail
    assert await publish(egress, lenient, {}, login) == {"payload": {}, "headers": {}}


@pytest.mark.parametrize(
    ("channel", "status"),
    [
        ({"is": "queue", "queue": {"name": "amq.reserved"}}, 403),
        ({"exchange": {"name": "amq.topic", "type": "fanout"}}, 409),
        ({"exchange": {"name": "calls-not-there"}}, 404),
    ],
)
async def test_what_the_broker_refuses_is_an_error_with_its_words(
    egress: EgressClient, broker: Broker, channel: dict[str, Any], status: int
) -> None:
    document = version_2(broker.place, "amqp", broker.name("none"), channel_bindings=channel)

    problem = await publish(egress, document, {}, BasicCredentials(*broker.login))

    assert (problem.type, problem.status) == (ERRORS + "communication", status)
    assert "The broker refused" in problem.detail


async def test_a_wrong_password_is_an_authentication_error(
    egress: EgressClient, broker: Broker
) -> None:
    document = version_2(broker.place, "amqp", "x", channel_bindings={"is": "queue"})

    problem = await publish(egress, document, {}, BasicCredentials("guest", "wrong"))

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert "wrong" not in problem.detail


async def test_credentials_may_come_from_a_secret(egress: EgressClient, broker: Broker) -> None:
    document = version_2(broker.place, "amqp", "nobody", operation_bindings={"mandatory": False})
    user, password = broker.login
    secret = SecretCredentials("basic", {"username": user, "password": password})

    assert await publish(egress, document, {}, secret) == {"payload": {}, "headers": {}}
    problem = await publish(egress, document, {}, BearerCredentials("t0"))
    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)


async def test_names_are_looked_up_by_the_guard_and_tls_is_what_it_says(
    egress: EgressClient, broker: Broker
) -> None:
    port = broker.place.partition(":")[2]
    lenient = {"mandatory": False}
    place, login = f"service.test:{port}", BasicCredentials(*broker.login)
    plain = version_2(place, "amqp", "nobody", operation_bindings=lenient)
    secure = version_2(place, "amqps", "nobody", operation_bindings=lenient)

    assert await publish(egress, plain, {}, login) == {"payload": {}, "headers": {}}
    problem = await publish(egress, secure, {}, login)
    assert (problem.type, problem.status) == (ERRORS + "communication", 500)
    assert "TLS" in problem.detail


async def test_a_broker_that_may_not_be_called_is_refused(broker: Broker) -> None:
    document = version_2(broker.place, "amqp", "x", channel_bindings={"is": "queue"})
    async with EgressClient() as closed:
        problem = await publish(closed, document, {}, BasicCredentials(*broker.login))

    assert (problem.type, problem.status) == (ERRORS + "authorization", 403)


# ------------------------------------------------------------ HTTP
async def test_a_message_is_posted_to_the_channels_path(
    egress: EgressClient, documents: Server
) -> None:
    document = version_2(
        f"http://127.0.0.1:{documents.port}/base", "http", "orders",
        content_type="application/vnd.order+json",
    )  # fmt: skip

    await publish(egress, document, {"a": 1}, BearerCredentials("t0"), headers={"X-A": 1})

    request = documents.requests[0]
    assert (request.method, request.path) == ("POST", "/base/orders")
    assert documents.bodies == [b'{"a":1}']
    assert request.headers["Content-Type"] == "application/vnd.order+json"
    assert request.headers["Authorization"] == "Bearer t0"
    assert request.headers["Idempotency-Key"] == "e1:/do/0/a"
    assert request.headers["X-A"] == "1"


async def test_a_method_without_a_body_has_the_payload_as_parameters(
    egress: EgressClient, documents: Server
) -> None:
    document = version_2(
        f"127.0.0.1:{documents.port}", "http", "orders",
        operation_bindings={"type": "request", "method": "GET"},
    )  # fmt: skip

    await publish(egress, document, {"a": 1, "b": "x y"})

    assert documents.requests[0].method == "GET"
    assert dict(documents.requests[0].query) == {"a": "1", "b": "x y"}


async def test_an_answer_that_is_no_success_is_an_error(
    egress: EgressClient, documents: Server
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    documents.answer = answer
    document = version_2(f"127.0.0.1:{documents.port}", "http", "orders")

    problem = await publish(egress, document, {})

    assert (problem.type, problem.status) == (ERRORS + "communication", 503)


# ------------------------------------------------------------ WebSocket
async def test_a_message_is_sent_over_a_websocket(egress: EgressClient, documents: Server) -> None:
    received: list[Any] = []

    async def talk(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        received.extend([(request.path, each.type, each.data) async for each in socket])
        return socket

    documents.answer = talk
    document = version_2(f"127.0.0.1:{documents.port}", "ws", "chat")

    await publish(egress, document, {"a": 1}, BearerCredentials("t0"))

    assert received == [("/chat", WSMsgType.TEXT, '{"a":1}')]
    assert documents.requests[0].headers["Authorization"] == "Bearer t0"


async def test_a_handshake_is_not_sent_elsewhere(egress: EgressClient, documents: Server) -> None:
    async def move(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/elsewhere")

    documents.answer = move
    document = version_2(f"127.0.0.1:{documents.port}", "ws", "chat")

    problem = await publish(egress, document, {})

    assert (problem.type, problem.status) == (ERRORS + "communication", 500)
    assert [request.path for request in documents.requests] == ["/chat"]


@pytest.mark.parametrize("protocol", ["http", "ws", "amqp"])
async def test_what_may_not_be_called_is_refused(egress: EgressClient, protocol: str) -> None:
    problem = await publish(egress, version_2("inside.test", protocol, "x"), {})

    assert (problem.type, problem.status) == (ERRORS + "authorization", 403)
