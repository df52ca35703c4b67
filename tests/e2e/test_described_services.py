"""Services that are described elsewhere, called through the whole suite: gRPC, MCP, A2A's and AsyncAPI's protocols."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import web

from tests.component.workflow_service.calls.channels import Broker, open_broker, version_2
from tests.component.workflow_service.calls.mcp_server import server as mcp_server
from tests.component.workflow_service.calls.shop import MONEY, SHOP, Shop, open_shop
from tests.component.workflow_service.egress.conftest import Server, serving
from tests.support.asgi import serving_asgi
from tests.support.documents import Documents
from tests.support.gateway_client import Person, signed_up
from tests.support.suite import Suite, started
from workflow_service.adapters.task_runners.grpc_calls.compiling import Compiler
from workflow_service.adapters.task_runners.grpc_calls.protos import Protos
from workflow_service.domain.execution.credentials import Resource

HEAD = "document: {{dsl: 1.0.3, namespace: tests, name: {name}, version: 1.0.0}}\n"


@pytest.fixture(scope="module")
def open_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite whose workflows may call this machine."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_EGRESS_ALLOW="127.0.0.1",
    ) as running:
        yield running


@pytest.fixture
async def grace(open_suite: Suite) -> AsyncIterator[Person]:
    async with signed_up(open_suite.url, "Grace") as person:
        yield person


@pytest.fixture
async def documents() -> AsyncIterator[Server]:
    """Documents by their path."""
    server = Server()
    runner = await serving(server, "127.0.0.1")
    yield server
    await runner.cleanup()


def giving(contents: dict[str, str]) -> Any:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text=contents[request.path])

    return answer


async def outcome(person: Person, name: str, do: dict[str, Any], given: Any = None) -> Any:
    """What a workflow of one task comes to."""
    definition = await person.publish(HEAD.format(name=name) + "do: " + json.dumps([{"only": do}]))
    execution = await person.start(definition.reference, given or {}, wait=20)
    assert execution.status == "completed", execution.error
    return execution.output


async def test_a_grpc_service_is_called_by_its_proto(grace: Person, documents: Server) -> None:
    contents = {"/shop.proto": SHOP, "/common/money.proto": MONEY}
    documents.answer = giving(contents)
    place = documents.url("/shop.proto")
    known = {documents.url(path): text for path, text in contents.items()}
    schema = await Protos(Documents(known), Compiler()).schema(Resource(place), tenant="t")
    async with open_shop(schema, Shop()) as shop:
        output = await outcome(
            grace,
            "order",
            {
                "call": "grpc",
                "with": {
                    "proto": {"endpoint": place},
                    "service": {"name": "shop.v1.Shop", "host": "127.0.0.1", "port": shop.port},
                    "method": "Place",
                    "arguments": {"customerName": "${ .name }"},
                },
            },
            {"name": "Grace"},
        )

    assert (output["customerName"], output["state"]) == ("Grace", "OPEN")


async def test_a_tool_of_an_mcp_server_is_called(grace: Person) -> None:
    async with serving_asgi(mcp_server().streamable_http_app()) as port:
        output = await outcome(
            grace,
            "add",
            {
                "call": "mcp",
                "with": {
                    "method": "tools/call",
                    "parameters": {"name": "add", "arguments": {"a": 2, "b": 3}},
                    "transport": {"http": {"endpoint": f"http://127.0.0.1:{port}/mcp"}},
                },
            },
        )

    assert output["content"][0]["text"] == "5"


async def test_a_message_goes_through_a_broker_and_comes_back(
    grace: Person, documents: Server
) -> None:
    async with open_broker() as broker:
        queue = await broker.queue("round-trip")
        documents.answer = giving({"/asyncapi.json": on(broker)})
        user, password = broker.login
        target = {
            "document": {"endpoint": documents.url("/asyncapi.json")},
            "channel": broker.name("round-trip"),
            "authentication": {"basic": {"username": user, "password": password}},
        }
        for number in (1, 2):
            message = {"message": {"payload": {"n": number}}}
            _ = await outcome(
                grace, f"tell-{number}", {"call": "asyncapi", "with": target | message}
            )
        subscription = {
            "consume": {"amount": 2},
            "foreach": {
                "item": "heard",
                "do": [{"double": {"set": {"n": "${ $heard.payload.n * 2 }"}}}],
                "output": {"as": "${ .n }"},
            },
        }
        hear = {"call": "asyncapi", "with": target | {"subscription": subscription}}
        output = await outcome(grace, "hear", hear)
        await queue.delete(if_unused=False, if_empty=False)

    assert output == [2, 4]


def on(broker: Broker) -> str:
    bindings = {"is": "queue"}
    return version_2(broker.place, "amqp", broker.name("round-trip"), channel_bindings=bindings)


async def test_an_own_service_is_not_called_behind_the_gateways_back(
    grace: Person, open_suite: Suite, documents: Server
) -> None:
    documents.answer = giving({"/shop.proto": SHOP, "/common/money.proto": MONEY})
    port = int(open_suite.url.rpartition(":")[2].strip("/"))
    call = {
        "call": "grpc",
        "with": {
            "proto": {"endpoint": documents.url("/shop.proto")},
            "service": {"name": "shop.v1.Shop", "host": "127.0.0.1", "port": port},
            "method": "Place",
        },
    }
    text = HEAD.format(name="behind") + "do: " + json.dumps([{"only": call}])

    definition = await grace.publish(text)
    execution = await grace.start(definition.reference, {}, wait=20)

    assert execution.error is not None
    assert execution.error.type.endswith("/errors/authorization")
