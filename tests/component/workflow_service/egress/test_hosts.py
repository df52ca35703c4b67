"""What each host is given: a breaker, a budget, so many calls at a time, and the rest it asks for."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from chassis.telemetry import metrics
from tests.component.workflow_service.egress.conftest import Server, names
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import (
    BreakerPolicy,
    EgressClient,
    EgressFailed,
    EgressLimits,
    EgressRequest,
    EgressTimedOut,
    GatePolicy,
    HostBusy,
    HostFailing,
    HostResting,
)
from workflow_service.adapters.egress.breaker import Verdict
from workflow_service.adapters.egress.hosts import HostGates
from workflow_service.adapters.task_runners.http import HttpCall, HttpFailed, HttpRunner

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
BREAKER = BreakerPolicy(window=60, minimum=4, failure_rate=0.5, open_for=30)


def client_with(
    breaker: BreakerPolicy = BREAKER,
    *,
    concurrency: int = 2,
    waiting: int = 100,
    max_wait: float = 5.0,
    retry_share: float = 0.1,
    retry_burst: float = 10.0,
    timeout: float = 5.0,
) -> EgressClient:
    gate = GatePolicy(concurrency, waiting, max_wait, retry_share, retry_burst, breaker)
    lookup = names(one_test=["127.0.0.1"], two_test=["127.0.0.1"])
    limits = EgressLimits(total_timeout=timeout, connect_timeout=1.0, gate=gate)
    return EgressClient(allow=["127.0.0.0/8"], limits=limits, lookup=lookup)


def saying(status: int, **headers: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, headers=named)

    return answer


async def test_a_host_that_fails_too_often_is_left_alone_and_others_are_not(server: Server) -> None:
    server.answer = saying(503)
    async with client_with() as client:
        for _ in range(4):
            await client.request(EgressRequest("GET", server.url(host="one.test")))
        with pytest.raises(HostFailing) as refused:
            await client.request(EgressRequest("GET", server.url(host="one.test")))
        other = await client.request(EgressRequest("GET", server.url(host="two.test")))

    assert len(server.requests) == 5
    assert other.status == 503
    assert f"one.test:{server.port}" in str(refused.value)
    assert "tried again in 30 s" in str(refused.value)
    assert refused.value.retry_after == pytest.approx(30, abs=1)
    shown = metrics.exposition().decode()
    assert f'egress_breaker_state{{host="one.test:{server.port}"}} 2.0' in shown
    assert 'egress_requests_total{outcome="host_unavailable"}' in shown


async def test_an_open_breaker_is_a_communication_error_with_status_503(server: Server) -> None:
    server.answer = saying(502)
    async with client_with() as client:
        runner = HttpRunner(AuthenticatedEgress(client))
        outcomes = [await runner.run(HttpCall("GET", server.url(), f"k{n}")) for n in range(5)]

    last = outcomes[-1]
    assert isinstance(last, HttpFailed)
    assert (last.type, last.status, last.title) == ("communication", 503, "Host unavailable")
    assert f"127.0.0.1:{server.port}" in last.detail


async def test_one_probe_closes_it_again(server: Server) -> None:
    server.answer = saying(504)
    async with client_with(BreakerPolicy(60, 4, 0.5, open_for=0.2)) as client:
        for _ in range(4):
            await client.request(EgressRequest("GET", server.url()))
        arrived, go_on = asyncio.Event(), asyncio.Event()

        async def slowly(request: web.Request) -> web.StreamResponse:
            arrived.set()
            await go_on.wait()
            return web.Response()

        server.answer = slowly
        probe = asyncio.create_task(_until_let_through(client, server))
        await arrived.wait()
        with pytest.raises(HostFailing):
            await client.request(EgressRequest("GET", server.url()))
        go_on.set()
        await probe
        await client.request(EgressRequest("GET", server.url()))

    assert len(server.requests) == 6


async def _until_let_through(client: EgressClient, server: Server) -> None:
    while True:
        try:
            await client.request(EgressRequest("GET", server.url()))
        except HostFailing as refused:
            await asyncio.sleep(refused.retry_after or 0)
        else:
            return


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500])
async def test_answers_about_one_request_say_nothing_bad_about_the_host(
    server: Server, status: int
) -> None:
    server.answer = saying(status)
    async with client_with() as client:
        for _ in range(10):
            await client.request(EgressRequest("GET", server.url()))

    assert len(server.requests) == 10


async def test_whoever_gives_little_time_does_not_open_the_breaker_for_others(
    server: Server,
) -> None:
    async def never(request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    server.answer = never
    async with client_with() as client:
        for _ in range(8):
            with pytest.raises(EgressTimedOut):
                await client.request(EgressRequest("GET", server.url(), timeout=0.01))
        server.answer = None
        assert (await client.request(EgressRequest("GET", server.url()))).status == 200


class Unreliable:
    """Drops the first connections that ask something, before it answers."""

    def __init__(self, drops: int) -> None:
        self.drops = drops
        self.heads: list[bytes] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        if len(self.heads) > self.drops:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()


async def asked(unreliable: Unreliable, *requests: tuple[str, str | None], burst: float) -> int:
    """How many of *requests* were answered."""
    listening = await asyncio.start_server(unreliable.handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
    answered = 0
    async with listening, client_with(retry_share=0.0, retry_burst=burst) as client:
        for method, key in requests:
            headers = {"Idempotency-Key": key} if key else {}
            try:
                await client.request(EgressRequest(method, url, headers))
            except EgressFailed:
                continue
            answered += 1
    return answered


@pytest.mark.parametrize(
    ("method", "key", "sent"), [("GET", None, 2), ("POST", "k-1", 2), ("POST", None, 1)]
)
async def test_a_lost_request_is_sent_again_if_it_may_be(
    method: str, key: str | None, sent: int
) -> None:
    unreliable = Unreliable(drops=1)

    answered = await asked(unreliable, (method, key), burst=5)

    assert (answered, len(unreliable.heads)) == (sent - 1, sent)
    assert all((b"Idempotency-Key: k-1" in head) is (key is not None) for head in unreliable.heads)


async def test_it_is_sent_again_once_and_only_within_the_budget() -> None:
    unreliable = Unreliable(drops=100)

    answered = await asked(unreliable, *[("GET", None)] * 3, burst=2)

    assert (answered, len(unreliable.heads)) == (0, 5)


async def test_retry_after_holds_back_the_calls_that_follow(server: Server) -> None:
    server.answer = saying(429, Retry_After="1.5")
    async with client_with() as client:
        first = await client.request(EgressRequest("GET", server.url()))
        server.answer = None
        began = time.monotonic()
        # The wait is not part of the time that the call itself has.
        second = await client.request(EgressRequest("GET", server.url(), timeout=1.4))

    assert first.retry_after == 1.5
    assert second.status == 200
    assert time.monotonic() - began >= 1.4


async def test_retry_after_is_waited_out_only_so_long(server: Server) -> None:
    server.answer = saying(503, Retry_After="3600")
    async with client_with(max_wait=0.2) as client:
        runner = HttpRunner(AuthenticatedEgress(client))
        failed = await runner.run(HttpCall("GET", server.url(), "k"))
        server.answer = None
        second = await client.request(EgressRequest("GET", server.url()))

    assert isinstance(failed, HttpFailed)
    assert (failed.status, failed.retry_after) == (503, 3600)
    assert failed.detail == "The service answered with status 503 and asked to wait 3600 s."
    assert second.status == 200


async def test_a_rest_that_is_prolonged_while_one_waits_is_not_waited_out() -> None:
    now = [100.0]
    gates = HostGates(GatePolicy(max_wait=0.1), clock=lambda: now[0])
    place = ("http", "one.test", 80)

    async def wait() -> None:
        async with gates.passing(place):
            pass

    async with gates.passing(place) as inside:
        inside.rest(3600)
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        now[0] += 0.05
        inside.rest(3600)
        with pytest.raises(HostResting) as resting:
            await waiting

    assert "one.test:80 asked to be left alone" in str(resting.value)


async def test_waiting_is_bounded_in_number_and_in_time(server: Server) -> None:
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(request: web.Request) -> web.StreamResponse:
        arrived.set()
        await go_on.wait()
        return web.Response()

    server.answer = slowly
    async with client_with(concurrency=1, waiting=1, max_wait=0.1) as client:
        first = asyncio.create_task(client.request(EgressRequest("GET", server.url())))
        await arrived.wait()
        second = asyncio.create_task(client.request(EgressRequest("GET", server.url())))
        await asyncio.sleep(0)
        with pytest.raises(HostBusy):
            await client.request(EgressRequest("GET", server.url()))
        with pytest.raises(HostBusy):
            await second
        go_on.set()
        assert (await first).status == 200

    assert len(server.requests) == 1


async def test_hosts_that_nobody_calls_any_more_are_forgotten() -> None:
    gates = HostGates(GatePolicy(breaker=BreakerPolicy(minimum=1)))
    failing = ("http", "failing.test", 80)
    async with gates.passing(failing) as visit:
        visit.verdict = Verdict.BAD
    for number in range(5_000):
        async with gates.passing(("http", f"host-{number}.test", 80)):
            pass

    assert len(gates) == 4_096
    with pytest.raises(HostFailing):
        async with gates.passing(failing):
            pass
