"""`python -m benchmarks.cache_peer URL KEYS ROLE …`: another process that shares a cache with the one that measures."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Final

import uvloop

from chassis.caching.opening import Caches, caches_at
from chassis.caching.port import Cache
from chassis.clock import SystemClock
from chassis.crypto.key_file import load_or_create
from chassis.crypto.safe import Safe
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressLimits, EgressRequest
from workflow_service.domain.execution.credentials import OAuthClient, OAuthCredentials

KEY: Final = "watched"
CALLS: Final = 50


async def watch(caches: Caches, rounds: int) -> None:
    """Keep a value near, and say when it was seen to have gone; the machine's clock is common to all its processes."""
    cache = caches.cache("bench", most=100, most_bytes=1_000_000)
    for _ in range(rounds):
        await _until(cache, there=True)
        for _ in range(3):
            _ = await cache.get(KEY)
        print("near", flush=True)
        await _until(cache, there=False)
        print(time.monotonic(), flush=True)


async def _until(cache: Cache, *, there: bool) -> None:
    """Look until the value is there, or gone: as often as the loop lets others work."""
    # How soon looking tells is what is measured.
    while (await cache.get(KEY) is not None) is not there:  # noqa: ASYNC110
        await asyncio.sleep(0)


async def call(caches: Caches, authority: str) -> None:
    """Make calls at the same time, with the token of one policy; say how many were accepted."""
    policy = OAuthCredentials(
        authority=authority, grant="client_credentials", client=OAuthClient("bench", "s")
    )
    limits = EgressLimits(total_timeout=60.0)
    async with EgressClient(allow=["127.0.0.1"], limits=limits) as client:
        egress = AuthenticatedEgress(client, caches=caches)
        print("ready", flush=True)
        _ = await asyncio.to_thread(sys.stdin.readline)
        request = EgressRequest("GET", f"{authority}/service")
        calls = (egress.send(request, policy, tenant="t") for _ in range(CALLS))
        answers = await asyncio.gather(*calls)
    print(sum(answer.status == 200 for answer in answers), flush=True)


async def main(url: str, keys: str, role: str, argument: str) -> None:
    """Play a role."""
    safe = Safe(load_or_create(Path(keys)), "bench")
    async with caches_at(url, SystemClock(), safe) as caches:
        await (watch(caches, int(argument)) if role == "watch" else call(caches, argument))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
