"""`call: http` as the DSL reference tells it."""

import asyncio
import base64
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.component.workflow_service.egress.conftest import Answer, Server, names
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressLimits
from workflow_service.adapters.task_runners.http import (
    HttpCall,
    HttpFailed,
    HttpRunner,
    HttpSucceeded,
    Output,
)
from workflow_service.domain.execution.credentials import BearerCredentials
from workflow_service.domain.expressions import JsonValue


@pytest.fixture
async def runner() -> AsyncIterator[HttpRunner]:
    limits = EgressLimits(total_timeout=20.0, max_response_bytes=10_000)
    async with EgressClient(allow=["127.0.0.1"], lookup=names(), limits=limits) as client:
        yield HttpRunner(AuthenticatedEgress(client))


def responding(body: bytes, content_type: str = "", status: int = 200, **more: str) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {name.replace("_", "-"): value for name, value in more.items()}
        if content_type:
            headers["Content-Type"] = content_type
        return web.Response(status=status, body=body, headers=headers)

    return answer


@pytest.mark.parametrize(
    ("content_type", "body", "content"),
    [
        ("application/json", b'{"a":[1,2.5,null]}', {"a": [1, 2.5, None]}),
        ("application/problem+json; charset=utf-8", b"[]", []),
        ("text/plain", "grün".encode(), "grün"),
        ("text/plain; charset=iso-8859-1", "grün".encode("latin-1"), "grün"),
        ("text/plain; charset=idna", b"xn--", "xn--"),
        ("application/xml", b"<a/>", "<a/>"),
        ("application/octet-stream", b"\x00\xff", base64.b64encode(b"\x00\xff").decode()),
        ("image/png", b"png", base64.b64encode(b"png").decode()),
        ("application/json", b"", None),
    ],
)
async def test_content_is_decoded_by_its_media_type(
    runner: HttpRunner, server: Server, content_type: str, body: bytes, content: JsonValue
) -> None:
    server.answer = responding(body, content_type)

    assert await runner.run(HttpCall("get", server.url(), "key")) == HttpSucceeded(content)


async def test_raw_output_is_the_body_in_base64(runner: HttpRunner, server: Server) -> None:
    server.answer = responding(b'{"a":1}', "application/json")

    outcome = await runner.run(HttpCall("get", server.url(), "key", output="raw"))

    assert outcome == HttpSucceeded(base64.b64encode(b'{"a":1}').decode())


async def test_response_output_tells_everything_but_credentials(
    runner: HttpRunner, server: Server
) -> None:
    server.answer = responding(b'{"a":1}', "application/json", X_One="1")
    call = HttpCall(
        "get",
        server.url("/p"),
        "key",
        {"X-In": "2"},
        output="response",
        credentials=BearerCredentials("s"),
    )

    outcome = await runner.run(call)

    assert isinstance(outcome, HttpSucceeded)
    assert isinstance(outcome.output, dict)
    assert outcome.output["statusCode"] == 200
    assert outcome.output["content"] == {"a": 1}
    request, headers = outcome.output["request"], outcome.output["headers"]
    assert isinstance(request, dict)
    assert isinstance(headers, dict)
    assert (request["method"], request["uri"]) == ("get", server.url("/p"))
    assert headers["X-One"] == "1"
    assert "Bearer s" not in str(outcome.output)
    assert server.requests[0].headers["Authorization"] == "Bearer s"


@pytest.mark.parametrize(
    ("body", "declared", "sent", "content_type"),
    [
        ({"a": 1}, None, b'{"a":1}', "application/json"),
        ([1], None, b"[1]", "application/json"),
        (None, None, b"null", "application/json"),
        (True, None, b"true", "application/json"),
        ("text", None, b"text", "text/plain; charset=utf-8"),
        ("text", "text/csv", b"text", "text/csv"),
        ("text", "application/json", b'"text"', "application/json"),
        ({"a": 1}, "application/vnd.x+json", b'{"a":1}', "application/vnd.x+json"),
        (
            {"a": "x y", "b": [1, 2], "c": None, "d": "é&="},
            "application/x-www-form-urlencoded",
            b"a=x+y&b=1&b=2&d=%C3%A9%26%3D",
            "application/x-www-form-urlencoded",
        ),
    ],
)
async def test_bodies_are_encoded_by_their_media_type(
    runner: HttpRunner,
    server: Server,
    body: JsonValue,
    declared: str | None,
    sent: bytes,
    content_type: str,
) -> None:
    headers = {"content-type": declared} if declared else {}

    await runner.run(HttpCall("post", server.url(), "key", headers, body=body))

    assert server.bodies == [sent]
    assert server.requests[0].headers["Content-Type"] == content_type


async def test_no_body_is_sent_when_there_is_none(runner: HttpRunner, server: Server) -> None:
    await runner.run(HttpCall("post", server.url(), "key"))

    assert server.bodies == [b""]
    assert "Content-Type" not in server.requests[0].headers


async def test_query_parameters_are_appended(runner: HttpRunner, server: Server) -> None:
    query: dict[str, JsonValue] = {"q": "a b&c=d#é", "n": 1, "t": True, "l": ["x", 2], "z": None}

    await runner.run(HttpCall("get", server.url("/p?a=1#frag"), "key", query=query))
    await runner.run(HttpCall("get", server.url("/p"), "key", query={"z": None}))

    assert server.requests[0].raw_path == ("/p?a=1&q=a%20b%26c%3Dd%23%C3%A9&n=1&t=true&l=x&l=2")
    assert server.requests[1].raw_path == "/p"


async def test_every_call_carries_its_idempotency_key(runner: HttpRunner, server: Server) -> None:
    await runner.run(HttpCall("get", server.url(), "key-1"))
    await runner.run(HttpCall("get", server.url(), "key-2", {"idempotency-key": "own"}))

    assert [r.headers["Idempotency-Key"] for r in server.requests] == ["key-1", "own"]


@pytest.mark.parametrize(
    ("status", "redirect", "accepted"),
    [
        (200, False, True),
        (204, False, True),
        (299, False, True),
        (301, False, False),
        (304, False, False),
        (304, True, True),
        (400, False, False),
        (404, True, False),
        (500, False, False),
    ],
)
async def test_which_statuses_are_errors(
    runner: HttpRunner, server: Server, status: int, redirect: bool, accepted: bool
) -> None:
    server.answer = responding(b"", status=status, Location="/next" if status == 301 else "")

    outcome = await runner.run(HttpCall("get", server.url(), "key", redirect=redirect))

    assert isinstance(outcome, HttpSucceeded) is accepted
    if isinstance(outcome, HttpFailed):
        assert (outcome.type, outcome.status) == ("communication", status)
    assert len(server.requests) == 1


async def test_redirects_are_followed_when_they_are_no_errors(
    runner: HttpRunner, server: Server
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == "/next":
            return web.json_response("there")
        return web.Response(status=302, headers={"Location": "/next"})

    server.answer = answer

    outcome = await runner.run(HttpCall("get", server.url(), "key", redirect=True))

    assert outcome == HttpSucceeded("there")


@pytest.mark.parametrize(
    ("status", "value", "seconds"),
    [
        (429, "7", 7.0),
        (503, "0", 0.0),
        (503, "Wed, 21 Oct 2026 07:28:30 GMT", 30.0),
        (503, "nan", None),
        (503, "soon", None),
        (429, "1e99", 86_400.0),
        (500, "7", None),
    ],
)
async def test_retry_after_is_passed_on(
    runner: HttpRunner, server: Server, status: int, value: str, seconds: float | None
) -> None:
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    server.answer = responding(b"", status=status, Retry_After=value, Date=date)

    outcome = await runner.run(HttpCall("get", server.url(), "key"))

    assert isinstance(outcome, HttpFailed)
    assert outcome.retry_after == seconds


async def test_failures_have_the_standard_types(runner: HttpRunner, server: Server) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    server.answer = broken
    calls = {
        "authorization 403": HttpCall("get", "http://127.0.0.2/", "key"),
        "communication 500": HttpCall("get", "http://none.test/", "key"),
        "configuration 400": HttpCall("get", server.url(), "key", {"X": "a\r\nb"}),
    }
    calls_too = HttpCall("post", server.url(), "key")

    for expected, call in calls.items():
        outcome = await runner.run(call)
        assert isinstance(outcome, HttpFailed)
        assert f"{outcome.type} {outcome.status}" == expected
    outcome = await runner.run(calls_too)
    assert isinstance(outcome, HttpFailed)
    assert (outcome.type, outcome.status) == ("communication", 500)


async def test_a_slow_service_is_a_timeout(runner: HttpRunner, server: Server) -> None:
    released = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    server.answer = slow

    outcome = await runner.run(HttpCall("get", server.url(), "key", timeout_s=0.1))
    released.set()

    assert isinstance(outcome, HttpFailed)
    assert (outcome.type, outcome.status) == ("timeout", 408)


@pytest.mark.parametrize("output", ["content", "response"])
async def test_broken_json_is_a_communication_error(
    runner: HttpRunner, server: Server, output: Output
) -> None:
    server.answer = responding(b"{", "application/json")

    outcome = await runner.run(HttpCall("get", server.url(), "key", output=output))

    assert isinstance(outcome, HttpFailed)
    assert (outcome.type, outcome.status) == ("communication", 500)


async def test_an_oversized_response_is_a_communication_error(
    runner: HttpRunner, server: Server
) -> None:
    server.answer = responding(b"x" * 20_000, "text/plain")

    outcome = await runner.run(HttpCall("get", server.url(), "key"))

    assert isinstance(outcome, HttpFailed)
    assert (outcome.type, outcome.status) == ("communication", 500)
