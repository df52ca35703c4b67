"""Attack 18, by every way out there is: whatever asks for an address, nothing inside is ever called.

The same documents with an admitted address do call it: that is what makes their refusals worth something.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from autoworker import Execution
from autoworker.errors import InvalidRequest
from tests.e2e.attacks.canary import REPLY, Canary, listening
from tests.support.gateway_client import Person, signed_up
from tests.support.ports import free_port
from tests.support.sandbox import processes
from tests.support.suite import Suite, started

ADMITTED = "127.0.0.77"
INSIDE = (
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f.1",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "0.0.0.0",  # noqa: S104 - where nobody listens, and everybody can be reached
)
PLAIN = ("127.0.0.1", "localhost")
"""Of the spellings those that nothing could take for something else than an address."""
REFUSED = ("authorization", 403)
NOT_SENT = {REFUSED, ("configuration", 400), ("expression", 400), ("validation", 400)}
HEAD = "document: {dsl: 1.0.3, namespace: attacks, name: %s, version: 1.0.0}\n"
PROTO = 'syntax = "proto3"; package p; message M {} service S { rpc Go (M) returns (M); }'
CHANNELS = """
asyncapi: 3.0.0
info: {title: t, version: 1.0.0}
servers: {there: {host: "@HOST:@PORT", protocol: http}}
channels: {c: {address: /c, messages: {m: {payload: {}}}}}
operations: {go: {action: send, channel: {$ref: '#/channels/c'}}}
"""
OPERATIONS = """
openapi: 3.1.0
servers: [{url: "http://@HOST:@PORT"}]
paths: {/x: {get: {operationId: go}}}
"""
REFERENCES = """
openapi: 3.1.0
paths: {/x: {$ref: "http://@HOST:@PORT/"}}
"""

CLIENT = "{authority: 'http://@HOST:@PORT/', client: {id: a, secret: b}, grant: client_credentials}"
WAYS = {
    "http": "call: http, with: {method: get, endpoint: 'http://@HOST:@PORT/'}",
    "oauth2": "call: http, with: {method: get, endpoint: {uri: '@DOCUMENTS/ok', authentication: {oauth2: @CLIENT}}}",
    "oidc": "call: http, with: {method: get, endpoint: {uri: '@DOCUMENTS/ok', authentication: {oidc: @CLIENT}}}",
    "proto": "call: grpc, with: {proto: {endpoint: 'http://@HOST:@PORT/'}, service: {name: p.S, host: @ADMITTED, port: 1}, method: Go}",
    "grpc": "call: grpc, with: {proto: {endpoint: '@DOCUMENTS/proto'}, service: {name: p.S, host: '@BARE', port: @PORT}, method: Go}",
    "mcp": "call: mcp, with: {method: tools/list, transport: {http: {endpoint: 'http://@HOST:@PORT/'}}}",
    "a2a": "call: a2a, with: {method: tasks/get, server: 'http://@HOST:@PORT/', parameters: {id: a}}",
    "card": "call: a2a, with: {method: tasks/get, agentCard: {endpoint: 'http://@HOST:@PORT/'}, parameters: {id: a}}",
    "channels": "call: asyncapi, with: {document: {endpoint: 'http://@HOST:@PORT/'}, operation: go, message: {payload: {}}}",
    "asyncapi": "call: asyncapi, with: {document: {endpoint: '@DOCUMENTS/channels/@HOST'}, operation: go, message: {payload: {}}}",
    "openapi": "call: openapi, with: {document: {endpoint: 'http://@HOST:@PORT/'}, operationId: go}",
    "operation": "call: openapi, with: {document: {endpoint: '@DOCUMENTS/operations/@HOST'}, operationId: go}",
    "reference": "call: openapi, with: {document: {endpoint: '@DOCUMENTS/references/@HOST'}, operationId: go}",
    "script": "run: {script: {language: python, source: {endpoint: 'http://@HOST:@PORT/'}}}",
}  # fmt: skip
"""Every way out: a task that leads there."""
WHEN_PUBLISHED = {
    "catalog": "use: {catalogs: {c: {endpoint: 'http://@HOST:@PORT/'}}}\ndo: [{out: {call: 'f:1.0.0@c'}}]",
    "schema": "input: {schema: {resource: {endpoint: 'http://@HOST:@PORT/'}}}\ndo: [{out: {set: {a: 1}}}]",
}
"""Every way out that a definition takes before it ever runs: the rest of a document that leads there."""


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with listening() as canary:
        yield canary


@pytest.fixture
async def documents(canary: Canary) -> AsyncIterator[str]:
    """A server at the admitted address, with documents that lead to the canary."""

    async def document(request: web.Request) -> web.Response:
        name, _, host = request.match_info["name"].partition("/")
        text = {
            "proto": PROTO,
            "channels": CHANNELS,
            "operations": OPERATIONS,
            "references": REFERENCES,
        }.get(name, "ok")
        return web.Response(text=text.replace("@HOST", host).replace("@PORT", str(canary.port)))

    app = web.Application()
    app.router.add_get("/{name:.*}", document)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, ADMITTED, port).start()
    yield f"http://{ADMITTED}:{port}"
    await runner.cleanup()


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that may call one address of this machine."""
    folder = tmp_path_factory.mktemp("careful")
    with started(folder, AUTOWORKER_EGRESS_ALLOW=ADMITTED, **processes()) as running:
        yield running


@pytest.fixture
async def eve(careful: Suite) -> AsyncIterator[Person]:
    async with signed_up(careful.url, "Eve") as person:
        yield person


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_inside_is_called_and_what_is_admitted_is(
    way: str, eve: Person, canary: Canary, documents: str
) -> None:
    ends = dict(
        zip(
            INSIDE,
            await asyncio.gather(*(led(eve, way, host, canary, documents) for host in INSIDE)),
            strict=True,
        )
    )

    assert canary.hits == []
    assert {host: kind(end) for host, end in ends.items() if kind(end) not in NOT_SENT} == {}
    assert {host: kind(ends[host]) for host in PLAIN} == dict.fromkeys(PLAIN, REFUSED)

    await led(eve, way, ADMITTED, canary, documents)

    assert canary.hits


@pytest.mark.parametrize("way", WHEN_PUBLISHED)
async def test_nothing_inside_is_fetched_for_a_definition_and_what_is_admitted_is(
    way: str, eve: Person, canary: Canary
) -> None:
    refused = {host: await refusal(eve, way, host, canary) for host in INSIDE}

    assert canary.hits == []
    assert {host: bool(said) for host, said in refused.items()} == dict.fromkeys(INSIDE, True)
    assert {
        said for host, said in refused.items() if host in PLAIN if str(canary.port) in said
    } == set()

    said = await refusal(eve, way, ADMITTED, canary)

    assert canary.hits
    assert REPLY not in said


async def refusal(person: Person, way: str, host: str, canary: Canary) -> str:
    """What is said of a definition that leads to *host*; nothing when it is published."""
    name = f"{way}-{INSIDE.index(host) if host in INSIDE else 'admitted'}"
    body = WHEN_PUBLISHED[way].replace("@HOST", host).replace("@PORT", str(canary.port))
    try:
        await person.publish(HEAD % name + body)
    except InvalidRequest as refused:
        return str(refused.details)
    return ""


async def led(
    person: Person, way: str, host: str, canary: Canary, documents: str
) -> Execution | None:
    """What became of a workflow that is led to *host* by one way."""
    name = f"{way}-{INSIDE.index(host) if host in INSIDE else 'admitted'}"
    values = {
        "@HOST": host, "@PORT": str(canary.port), "@BARE": host.strip("[]"), "@DOCUMENTS": documents,
        "@ADMITTED": ADMITTED,
    }  # fmt: skip
    task = WAYS[way].replace("@CLIENT", CLIENT)
    for mark, value in values.items():
        task = task.replace(mark, value)
    body = f"do: [{{out: {{{task}, timeout: {{after: PT10S}}}}}}]"
    try:
        definition = await person.publish(HEAD % name + body)
    except InvalidRequest:
        return None  # that spelling is no address at all there
    return await person.start(definition.reference, {}, wait=30)


def kind(execution: Execution | None) -> tuple[str, int]:
    """The last word of the error's type, and its status."""
    if execution is None:
        return ("validation", 400)
    assert execution.error is not None, execution.output
    return execution.error.type.rpartition("/")[2], execution.error.status
