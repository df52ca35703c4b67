"""Attack 22 over bare sockets: refused, in the error shape, and closed."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from gateway.routes.connection import Patience
from tests.component.gateway.world import World, a_world
from tests.support.time import eventually

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"


def parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the first answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, body


async def test_the_positive_control_is_answered(world: World) -> None:
    status, headers, body = parsed(await world.raw(HEAD + b"Connection: close\r\n\r\n"))

    assert (status, headers["server"]) == (200, "autoworker")
    assert json.loads(body)["status"] == "ok"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /v1/..%2fhealthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz%2f HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/%2e%2e/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/../healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /v1/%5chealthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz%00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET //healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz;x=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://other/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/0.9\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        HEAD + b"Host: y\r\n\r\n",
        HEAD + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        HEAD + b"Content-Length: 0, 0\r\n\r\n",
        HEAD + b"Content-Length: +1\r\n\r\na",
        HEAD + b"Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
        HEAD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/auth/login HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\nTrailer: X-User-Id\r\n\r\n0\r\n\r\n",
        HEAD + b"Bad Header: x\r\n\r\n",
        HEAD + b"X-A : x\r\n\r\n",
        HEAD + b" folded\r\n\r\n",
        HEAD + b"X-A: a\x00b\r\n\r\n",
        b"TRACE /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a@b/c\r\n\r\n",
        b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n",
    ],
)
async def test_what_servers_read_differently_is_400_and_closed(
    world: World, request_bytes: bytes
) -> None:
    status, headers, body = parsed(await world.raw(request_bytes))

    assert status == 400
    error = json.loads(body)["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert error["request_id"] == headers["x-request-id"]
    assert headers["connection"] == "close"


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9"])
async def test_another_version_of_http_is_refused_in_ours(world: World, version: bytes) -> None:
    answer = await world.raw(HEAD.replace(b"HTTP/1.1", version) + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_the_absolute_form_of_our_own_address_is_answered(world: World) -> None:
    request = b"GET http://x/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    assert parsed(await world.raw(request))[0] == 200


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (HEAD + b"".join(b"X-%d: a\r\n" % n for n in range(5000)) + b"\r\n", 431),
        (HEAD + b"X-Long: " + b"a" * 20000 + b"\r\n\r\n", 431),
        (HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 1000) for n in range(50)) + b"\r\n", 431),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (HEAD + b"Connection: close\r\nExpect: magic\r\n\r\n", 417),
    ],
)
async def test_too_much_of_something_has_its_own_status(
    world: World, request_bytes: bytes, expected: int
) -> None:
    status, headers, body = parsed(await world.raw(request_bytes, half=True))

    assert status == expected
    assert "x-request-id" in headers
    assert "error" in json.loads(body.partition(b"HTTP/1.1")[0])


async def test_nothing_is_read_from_behind_a_refused_request(world: World) -> None:
    smuggled = HEAD + b"Content-Length: 30\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + HEAD

    answer = await world.raw(smuggled + b"\r\n")

    assert answer.count(b"HTTP/1.") == 1


async def test_pipelined_requests_are_answered_in_order(world: World) -> None:
    ids = [b"X-Request-Id: one\r\n\r\n", b"X-Request-Id: two\r\nConnection: close\r\n\r\n"]

    answer = await world.raw(HEAD + ids[0] + HEAD + ids[1])

    assert answer.index(b"X-Request-Id: one") < answer.index(b"X-Request-Id: two")


async def test_a_huge_chunk_extension_is_refused(world: World) -> None:
    request = (
        b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n2;" + b"a" * 65536 + b"\r\n{}\r\n0\r\n\r\n"
    )

    assert parsed(await world.raw(request))[0] == 400


CHUNKED = (
    b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
LOGIN = b'1c\r\n{"email":"a","password":"b"}\r\n'


@pytest.mark.parametrize(
    "trailers", [b"X-User-Id: root", b"A: b\r\nX-Request-Id: smuggled", b"X:" + b"a" * 999]
)
async def test_trailers_are_refused(world: World, trailers: bytes) -> None:
    body = LOGIN + b"0\r\n" + trailers + b"\r\n\r\n"

    status, headers, _ = parsed(await world.raw(CHUNKED + body))

    assert (status, headers["connection"]) == (400, "close")


@pytest.mark.parametrize(
    "head", [CHUNKED, CHUNKED.replace(b"POST /v1/auth/login", b"GET /healthz")]
)
async def test_a_trailer_is_never_a_header_of_the_next_request(world: World, head: bytes) -> None:
    request = head + LOGIN + b"0\r\nX-Request-Id: smuggled\r\n\r\n" + HEAD + b"\r\n"

    assert b"smuggled" not in await world.raw(request)


async def test_a_trailer_that_comes_late_is_never_a_header_either(world: World) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    for piece in (CHUNKED + LOGIN, b"0\r\n", b"X-Request-Id: smuggled\r\n", b"\r\n"):
        writer.write(piece)
        await writer.drain()
    answer = await reader.read()
    writer.close()

    assert parsed(answer)[0] == 400
    assert b"smuggled" not in answer


@pytest.mark.parametrize("end", [b"0\r\n\r\n", b"000;last=1\r\n\r\n"])
async def test_chunked_requests_follow_each_other_on_one_connection(
    world: World, end: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    for _ in range(3):
        writer.write(CHUNKED)
        writer.write(LOGIN + end[:1])
        await writer.drain()
        writer.write(end[1:])
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401 ")
        assert b"UNAUTHENTICATED" in await reader.readuntil(b"}}")
    writer.close()


async def test_a_body_that_contradicts_its_framing_is_400(world: World) -> None:
    request = (
        b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"
    )

    assert parsed(await world.raw(request))[0] == 400


async def test_continue_is_said_to_who_expects_it(world: World) -> None:
    body = b'{"email":"a","password":"b"}'
    request = (
        b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
    writer.write(request)
    first = await reader.readuntil(b"\r\n\r\n")
    writer.write(body)
    rest = await reader.read()
    writer.close()

    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert rest.startswith(b"HTTP/1.1 401 ")


async def test_a_slow_head_is_given_up(tmp_path: Path) -> None:
    async with a_world(tmp_path, head_timeout=0.2) as world:
        slow = await world.raw(b"GET /healthz HTTP/1.1\r\nHost:")
        silent = await world.raw(b"")

    assert parsed(slow)[0] == parsed(silent)[0] == 408
    assert json.loads(parsed(slow)[2])["error"]["code"] == "DEADLINE_EXCEEDED"


async def test_a_slow_second_head_is_given_up_too(tmp_path: Path) -> None:
    async with a_world(tmp_path, head_timeout=1.0) as world:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port)
        writer.write(HEAD + b"\r\n")
        await reader.readuntil(b'{"status":"ok","checks":{}}')
        writer.write(b"GET /healthz")
        rest = await reader.read()
        writer.close()

    assert rest.startswith(b"HTTP/1.1 408 ")


async def test_a_slow_body_is_given_up(tmp_path: Path) -> None:
    request = (
        b"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100\r\n\r\n{"
    )
    async with a_world(tmp_path, head_timeout=0.4, body_timeout=0.2) as world:
        status, _, body = parsed(await world.raw(request))

    assert status == 408
    assert json.loads(body)["error"]["code"] == "DEADLINE_EXCEEDED"


async def test_a_client_that_does_not_read_is_left(tmp_path: Path) -> None:
    async with a_world(tmp_path, read_timeout=0.2, head_timeout=0.4) as world:
        world.workflows.begin(output=b'"' + b"x" * 3_000_000 + b'"')
        token = world.bearer()["Authorization"].encode()
        request = b"GET /v1/executions/e1 HTTP/1.1\r\nHost: x\r\nAuthorization: " + token
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", world.port))
            await loop.sock_sendall(client, (request + b"\r\n\r\n") * 4)
            await eventually(lambda: open_connections() == 0)


def open_connections() -> float | None:
    """How many connections the gateway says it has."""
    return REGISTRY.get_sample_value("gateway_open", {"what": "connections"})


async def test_one_address_has_only_so_many_connections(tmp_path: Path) -> None:
    async with a_world(tmp_path, max_connections_per_address=3) as world:
        held = [await asyncio.open_connection("127.0.0.1", world.port) for _ in range(3)]
        refused = parsed(await world.raw(b""))
        for _, writer in held:
            writer.close()

    assert refused[0] == 503
    assert refused[1]["retry-after"] == "5"


def test_the_usual_patience_is_ten_seconds_for_a_head() -> None:
    assert Patience().head == 10.0
