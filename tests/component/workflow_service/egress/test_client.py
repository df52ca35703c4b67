"""Calls that are allowed: bounds, redirects, reuse, failures."""

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp import web

from tests.component.workflow_service.egress.conftest import Server, names, serving
from workflow_service.adapters.egress import (
    EgressClient,
    EgressError,
    EgressFailed,
    EgressLimits,
    EgressRequest,
    EgressTimedOut,
    Failure,
    GatePolicy,
    RequestInvalid,
    ResponseTooLarge,
)

LIMITS = EgressLimits(
    total_timeout=20.0,
    connect_timeout=20.0,
    max_response_bytes=100_000,
    gate=GatePolicy(concurrency=3),
)


@pytest.fixture
async def client() -> AsyncIterator[EgressClient]:
    lookup = names(one_test=["127.0.0.1"], two_test=["127.0.0.1"])
    async with EgressClient(allow=["127.0.0.0/8"], limits=LIMITS, lookup=lookup) as client:
        yield client


def answering(
    body: bytes, status: int = 200, **headers: str
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return answer


async def raw_server(answer: bytes, *, keep_open: bool = False) -> asyncio.Server:
    """A server that sends *answer* to whatever comes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if keep_open:
            await reader.read()
        writer.close()

    return await asyncio.start_server(handle, "127.0.0.1", 0)


def address(server: asyncio.Server) -> str:
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


async def test_a_request_arrives_as_it_was_made(client: EgressClient, server: Server) -> None:
    request = EgressRequest("post", server.url("/a%2Fb?q=1"), {"X-Own": "1"}, b"body")

    response = await client.request(request)

    seen = server.requests[0]
    assert (seen.method, seen.raw_path) == ("POST", "/a%2Fb?q=1")
    assert (seen.headers["X-Own"], seen.headers["User-Agent"]) == ("1", "Autoworker")
    assert "Content-Type" not in seen.headers
    assert server.bodies == [b"body"]
    assert response.status == 200


async def test_connections_are_reused(client: EgressClient, server: Server) -> None:
    for _ in range(5):
        await client.request(EgressRequest("GET", server.url()))

    assert len(server.connections) == 1


async def test_packed_bodies_are_unpacked(client: EgressClient, server: Server) -> None:
    text = b"hello" * 1000
    raw = zlib.compressobj(wbits=-15)
    for encoding, body in [
        ("gzip", gzip.compress(text, mtime=0)),
        ("gzip", gzip.compress(text[:2500], mtime=0) + gzip.compress(text[2500:], mtime=0)),
        ("deflate", zlib.compress(text)),
        ("deflate", raw.compress(text) + raw.flush()),
        ("identity", text),
    ]:
        server.answer = answering(body, Content_Encoding=encoding)
        response = await client.request(EgressRequest("GET", server.url()))
        assert response.body == text


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_decompression_bomb_is_cut_off(
    client: EgressClient, server: Server, encoding: str
) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000) if encoding == "gzip" else zlib.compress(b"\0" * 10**7)
    server.answer = answering(bomb, Content_Encoding=encoding)

    with pytest.raises(ResponseTooLarge):
        await client.request(EgressRequest("GET", server.url()))


async def test_an_endless_response_is_cut_off(client: EgressClient, server: Server) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65536)

    server.answer = endless
    with pytest.raises(ResponseTooLarge):
        await client.request(EgressRequest("GET", server.url()))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("br", b"x"), ("gzip", b"not packed"), ("gzip", gzip.compress(b"x" * 99, mtime=0)[:-9])],
)
async def test_a_body_that_is_not_what_it_says_is_a_failure(
    client: EgressClient, server: Server, encoding: str, body: bytes
) -> None:
    server.answer = answering(body, Content_Encoding=encoding)

    with pytest.raises(EgressFailed):
        await client.request(EgressRequest("GET", server.url()))


async def test_a_silent_server_is_given_up(client: EgressClient) -> None:
    server = await raw_server(b"", keep_open=True)
    with pytest.raises(EgressTimedOut):
        await client.request(EgressRequest("GET", address(server), timeout=0.1))
    server.close()


async def test_a_dripping_server_is_given_up(client: EgressClient) -> None:
    server = await raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", keep_open=True)
    with pytest.raises(EgressTimedOut):
        await client.request(EgressRequest("GET", address(server), timeout=0.1))
    server.close()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"", Failure.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", Failure.RESET),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", Failure.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", Failure.PROTOCOL),
    ],
)
async def test_broken_answers_are_failures(
    client: EgressClient, answer: bytes, failure: Failure
) -> None:
    server = await raw_server(answer)
    with pytest.raises(EgressFailed) as failed:
        await client.request(EgressRequest("POST", address(server)))
    server.close()

    assert failed.value.failure is failure


async def test_a_closed_port_and_an_unknown_name_are_failures(client: EgressClient) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = (
            f"http://127.0.0.1:{unused.getsockname()[1]}/"  # bound, so nobody else listens there
        )
        for url, failure in [(closed, Failure.CONNECT), ("http://none.test/", Failure.DNS)]:
            with pytest.raises(EgressFailed) as failed:
                await client.request(EgressRequest("GET", url))
            assert failed.value.failure is failure


async def test_plain_http_behind_https_is_a_tls_failure(
    client: EgressClient, server: Server
) -> None:
    with pytest.raises(EgressFailed) as failed:
        await client.request(EgressRequest("GET", server.url().replace("http:", "https:")))

    assert failed.value.failure is Failure.TLS
    assert isinstance(failed.value.__cause__, ssl.SSLError | Exception)


async def test_one_host_gets_a_bounded_number_of_calls_at_a_time(
    client: EgressClient, server: Server
) -> None:
    now, most = 0, 0
    everybody = asyncio.Event()

    async def counting(request: web.Request) -> web.StreamResponse:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        if now == 3:
            everybody.set()
        await everybody.wait()
        now -= 1
        return web.Response()

    server.answer = counting
    await asyncio.gather(*(client.request(EgressRequest("GET", server.url())) for _ in range(9)))

    assert most == 3


# ------------------------------------------------------------ redirects
def redirecting(server: Server, status: int, *locations: str) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        step = len(server.requests) - 1
        if step < len(locations):
            return web.Response(status=status, headers={"Location": locations[step]})
        return web.Response(text="end")

    server.answer = answer


async def test_redirects_are_not_followed_unless_asked(
    client: EgressClient, server: Server
) -> None:
    redirecting(server, 302, "/next")

    assert (await client.request(EgressRequest("GET", server.url()))).status == 302


async def test_three_redirects_are_followed_and_a_fourth_is_not(
    client: EgressClient, server: Server
) -> None:
    redirecting(server, 307, "/1", "2", "?3")
    request = EgressRequest("PUT", server.url(), body=b"x", follow_redirects=True)

    response = await client.request(request)

    assert response.url == server.url("/2?3")
    assert [(r.method, r.path_qs) for r in server.requests][-1] == ("PUT", "/2?3")
    assert server.bodies == [b"x"] * 4

    server.requests.clear()
    redirecting(server, 307, "/1", "/2", "/3", "/4")
    with pytest.raises(EgressFailed) as failed:
        await client.request(request)
    assert failed.value.failure is Failure.REDIRECTS
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [(303, "PUT", "GET"), (302, "POST", "GET"), (301, "POST", "GET"), (308, "POST", "POST")],
)
async def test_methods_change_as_the_standard_says(
    client: EgressClient, server: Server, status: int, method: str, then: str
) -> None:
    redirecting(server, status, "/next")
    headers = {"Content-Type": "text/plain"}
    request = EgressRequest(method, server.url(), headers, b"x", follow_redirects=True)

    await client.request(request)

    assert server.requests[1].method == then
    assert server.bodies[1] == (b"x" if then == method else b"")
    assert ("Content-Type" in server.requests[1].headers) is (then == method)


async def test_credentials_do_not_cross_origins(client: EgressClient, server: Server) -> None:
    other = Server()
    runner = await serving(other, "127.0.0.1")
    redirecting(server, 302, "/same", other.url("/other"))
    headers = {
        "Authorization": "Bearer secret",
        "Cookie": "sid=secret",
        "X-Api-Key": "secret",
        "Idempotency-Key": "k",
        "Accept": "text/plain",
    }
    await client.request(EgressRequest("GET", server.url(), headers, follow_redirects=True))
    await runner.cleanup()

    assert server.requests[1].headers["Authorization"] == "Bearer secret"
    crossed = other.requests[0].headers
    assert "secret" not in str(crossed)
    assert (crossed["Idempotency-Key"], crossed["Accept"]) == ("k", "text/plain")


async def test_cookies_are_not_kept(client: EgressClient, server: Server) -> None:
    server.answer = answering(b"", Set_Cookie="sid=1; Path=/")
    for _ in range(2):
        await client.request(EgressRequest("GET", server.url()))

    assert "Cookie" not in server.requests[1].headers


# ------------------------------------------------------------ what cannot be sent
@pytest.mark.parametrize(
    "headers",
    [
        {"X": "a\r\nInjected: 1"},
        {"X\r\nInjected": "1"},
        {"X": "a\nb"},
        {"X": "a\0b"},
        {"": "1"},
        {"X Y": "1"},
        {"Host": "internal"},
        {"content-length": "0"},
        {"Transfer-Encoding": "chunked"},
        {"Connection": "upgrade"},
        {"Proxy-Authorization": "x"},
    ],
)
async def test_headers_that_could_split_or_redirect_a_request_are_refused(
    client: EgressClient, server: Server, headers: dict[str, str]
) -> None:
    with pytest.raises(RequestInvalid):
        await client.request(EgressRequest("GET", server.url(), headers))
    assert server.requests == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "", "GET /x HTTP/1.1\r\n", "get\n"])
async def test_other_methods_are_refused(client: EgressClient, server: Server, method: str) -> None:
    with pytest.raises(RequestInvalid):
        await client.request(EgressRequest(method, server.url()))
    assert server.requests == []


async def test_every_failure_is_an_egress_error(client: EgressClient) -> None:
    for url in ("http://[::1", "http://\ud800/", "http://none.test/\ud800", "http://a" * 50):
        with pytest.raises(EgressError):
            await client.request(EgressRequest("GET", url))
