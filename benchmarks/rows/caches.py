"""What a shared cache costs and saves: a document near, in Redis, and fetched; news of a change; requests for tokens."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final

from aiohttp import web
from redis.asyncio import Redis

from benchmarks.cache_peer import CALLS, KEY
from benchmarks.folders import folder
from benchmarks.processes import ROOT
from benchmarks.report import Figure, Report, at_most
from benchmarks.sizes import Sizes
from chassis.caching.opening import Caches, caches_at
from chassis.clock import SystemClock
from chassis.crypto.key_file import load_or_create
from chassis.crypto.safe import Safe
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient
from workflow_service.adapters.resources import ExternalResources, ResourceLimits
from workflow_service.domain.execution.credentials import Resource

SETTING: Final = "AUTOWORKER_BENCH_REDIS_URL"
BYTES: Final = 50_000
"""Of the document: an OpenAPI document of a middling service."""
REPLICAS: Final = 3
_DEADLINE: Final = 60.0


@dataclass
class Elsewhere:
    """Plays the Internet: a document, an authority, and a service that wants its tokens."""

    url: str = ""
    tokens: set[str] = field(default_factory=set)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer everybody."""
        if request.path == "/oauth2/token":
            # As long as an authority nearby takes.
            await asyncio.sleep(0.05)
            token = secrets.token_hex(16)
            self.tokens.add(token)
            return web.json_response({"access_token": token, "expires_in": 600})
        if request.path == "/service":
            token = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return web.Response(status=200 if token in self.tokens else 401)
        told = "no-store" if request.path == "/never" else "max-age=3600"
        return web.Response(body=b"x" * BYTES, headers={"Cache-Control": told})


async def caches(sizes: Sizes) -> Report:
    """Documents near, far and fetched; news; tokens."""
    url = os.environ.get(SETTING, "redis://127.0.0.1:6379/0")
    with folder() as path:
        keys = Path(path) / "keys"
        safe = Safe(load_or_create(keys), "bench")
        async with _elsewhere() as there, caches_at(url, SystemClock(), safe) as shared:
            near, far, fetched = await _documents(there, shared, sizes.alone)
            bare = await _bare(url, sizes.alone)
            news = await _news(shared, url, keys, max(3, sizes.alone // 10))
            asked, accepted = await _tokens(there, url, keys)
    title = f"a document of {BYTES:,} bytes; news of a change; {REPLICAS} processes with {CALLS} calls each"
    return Report(
        "cache",
        title,
        (
            Figure(
                "near, in the process (reference: fetched from this machine)", near, "µs", fetched
            ),
            Figure("far, in Redis (reference: a bare GET of as many bytes)", far, "µs", bare),
            at_most("an invalidation is seen by another process, p50", news[0], "ms", 50),
            Figure("the same, the slowest", news[1], "ms"),
            at_most("requests for a token", asked, "", 1, float(REPLICAS)),
            Figure("calls accepted", accepted, "", float(REPLICAS * CALLS)),
        ),
    )


async def _documents(there: Elsewhere, shared: Caches, calls: int) -> tuple[float, float, float]:
    """Microseconds of a document: near, far, fetched."""
    async with EgressClient(allow=["127.0.0.1"]) as client:
        egress = AuthenticatedEgress(client)
        near = ExternalResources(egress, caches=shared)
        far = ExternalResources(egress, ResourceLimits(cache_bytes=0), shared)
        kept, never = Resource(f"{there.url}/doc"), Resource(f"{there.url}/never")
        return (
            await _took(lambda: near.fetch(kept, tenant="t"), calls),
            await _took(lambda: far.fetch(kept, tenant="t"), calls),
            await _took(lambda: near.fetch(never, tenant="t"), calls),
        )


async def _bare(url: str, calls: int) -> float:
    async with Redis.from_url(url) as client:
        name = f"bench:{secrets.token_hex(8)}"
        _ = await client.set(name, b"x" * BYTES, px=60_000)
        took = await _took(lambda: client.get(name), calls)
        _ = await client.delete(name)
    return took


async def _took(once: Callable[[], Awaitable[object]], calls: int) -> float:
    """Microseconds that a call takes when nobody else wants the core: a tenth of them are quicker."""
    for _ in range(5):
        _ = await once()
    took = []
    for _ in range(calls):
        began = time.perf_counter()
        _ = await once()
        took.append(time.perf_counter() - began)
    return sorted(took)[calls // 10] * 1e6


async def _news(shared: Caches, url: str, keys: Path, rounds: int) -> tuple[float, float]:
    """Milliseconds from the moment that somebody invalidates until another process sees it: the median, the longest."""
    cache = shared.cache("bench", most=100, most_bytes=1_000_000)
    took = []
    async with _peer(url, keys, "watch", str(rounds)) as peer:
        for _ in range(rounds):
            await cache.set(KEY, b"value", 3_600.0, since=await cache.moment("tag"))
            _ = await _line(peer)
            began = time.monotonic()
            await cache.invalidate("tag")
            took.append((float(await _line(peer)) - began) * 1_000)
    return median(took), max(took)


async def _tokens(there: Elsewhere, url: str, keys: Path) -> tuple[float, float]:
    """How many tokens several processes ask for that begin together, and how many of their calls are accepted."""
    async with (
        _peer(url, keys, "call", there.url) as one,
        _peer(url, keys, "call", there.url) as two,
        _peer(url, keys, "call", there.url) as three,
    ):
        peers = (one, two, three)
        for peer in peers:
            _ = await _line(peer)
        there.tokens.clear()
        for peer in peers:
            if peer.stdin is not None:
                peer.stdin.write(b"\n")
        accepted = sum([int(await _line(peer)) for peer in peers])
    return float(len(there.tokens)), float(accepted)


@asynccontextmanager
async def _elsewhere() -> AsyncIterator[Elsewhere]:
    there, application = Elsewhere(), web.Application()
    application.router.add_route("*", "/{path:.*}", there.answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield there
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _peer(url: str, keys: Path, *role: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.cache_peer", url, str(keys), *role,
        cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        _ = await process.wait()


async def _line(process: asyncio.subprocess.Process) -> bytes:
    """The next line that is no line of the log."""
    if process.stdout is None:
        raise RuntimeError("no pipe")
    async with asyncio.timeout(_DEADLINE):
        while b" [" in (line := await process.stdout.readline()):
            pass
    return line.strip()
