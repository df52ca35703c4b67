"""One and two workflow services on one MongoDB, beside one on its own file: what replicas give, and what they cost.

A machine that the load, the store and one of them fill has no core for a second one. So it is also measured what they give where
each of them runs for a fifth of the time, as if it shared its core with others.
"""

import asyncio
import itertools
import json
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks.clients import WorkflowClient, workflow_client
from benchmarks.folders import folder
from benchmarks.load import Load, flood, loaded
from benchmarks.processes import Place, place, slowed
from benchmarks.report import Figure, Report
from benchmarks.rows.durable import CALLS, SETS
from benchmarks.servers import Mongo, mongo
from benchmarks.sizes import Sizes

IN_FLIGHT: Final = 100
"""Executions for each replica."""
_ACQUAINTED: Final = 3.0
"""Seconds in which processes on one store have noticed each other."""
_SHARE: Final = 0.2
_WHAT: Final = {"calls": "three calls", "sets": "three sets"}


@dataclass(frozen=True, slots=True)
class _Found:
    load: Load
    server: float | None
    """CPU seconds of the store's server per 1,000; None: not known."""


async def replicas(sizes: Sizes) -> Report:
    """Executions a second, and CPU seconds for 1,000 of them."""
    figures: list[Figure] = []
    with folder() as path:
        async with mongo() as server, place("services", path) as services:
            for name in _WHAT:
                embedded = await _loaded(name, path, services, [services], sizes)
                one, two, small, smalls = [
                    await _shared(name, path, services, server, count, sizes, share)
                    for share in (1.0, _SHARE)
                    for count in (1, 2)
                ]
                figures += _figures(_WHAT[name], embedded.load, one, two)
                rates = smalls.load.rate, "/s", small.load.rate
                figures.append(Figure("  two on a fifth of a core each, beside one", *rates))
    title = f"{IN_FLIGHT} in flight for each replica, on {server.name}, beside the embedded store"
    return Report("replicas", title, tuple(figures))


async def takeover(sizes: Sizes) -> Report:
    """How long it takes until what a killed process had under way has ended in another one."""
    count = max(sizes.parked // 50, 10)
    with folder() as path:
        async with (
            mongo() as server,
            place("services", path) as services,
            _store(server) as url,
            _replica(path, services, url, "stuck") as (victim, first),
            _replica(path, services, url) as (_, second),
        ):
            await first.publish(CALLS)
            await asyncio.sleep(_ACQUAINTED)
            await flood(lambda: first.start("calls"), IN_FLIGHT, count)
            began = time.perf_counter()
            await victim.kill()
            while await second.any_in("running"):  # noqa: ASYNC110 - in another process
                await asyncio.sleep(0.05)
            took = time.perf_counter() - began
    title = f"{count} executions, each in its first call in a process that is killed; the other one goes on"
    return Report("takeover", title, (Figure("from the kill until all have completed", took, "s"),))


async def _shared(
    name: str,
    path: str,
    services: Place,
    server: Mongo,
    count: int,
    sizes: Sizes,
    share: float,
) -> _Found:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(_store(server))
        opened = [
            await stack.enter_async_context(_replica(path, services, url)) for _ in range(count)
        ]
        await asyncio.sleep(_ACQUAINTED if count > 1 else 0)
        places, clients = [each for each, _ in opened], [client for _, client in opened]
        async with slowed(share, places):
            return await _flooded(name, clients, places, sizes, server)


async def _loaded(
    name: str, path: str, services: Place, places: Sequence[Place], sizes: Sizes
) -> _Found:
    async with workflow_client(path, services.addresses) as client:
        return await _flooded(name, [client], places, sizes, None)


async def _flooded(
    name: str,
    clients: Sequence[WorkflowClient],
    places: Sequence[Place],
    sizes: Sizes,
    server: Mongo | None,
) -> _Found:
    for document in (CALLS, SETS):
        await clients[0].publish(document)
    turns = itertools.cycle(clients)
    in_flight, calls = IN_FLIGHT * len(clients), sizes.alone // 2 * len(clients)

    async def once() -> None:
        await next(turns).run(name)

    await flood(once, in_flight, in_flight)
    before = None if server is None else server.cpu
    load = await loaded(once, in_flight, calls, places)
    after = None if server is None else server.cpu
    spent = None if before is None or after is None else (after - before) / calls * 1000
    return _Found(load, spent)


@asynccontextmanager
async def _store(server: Mongo) -> AsyncIterator[str]:
    prefix = f"bench{secrets.token_hex(4)}"
    try:
        yield f"{server.url}{prefix}"
    finally:
        await server.drop(prefix)


@asynccontextmanager
async def _replica(
    path: str, services: Place, store: str, function: str = "echo"
) -> AsyncIterator[tuple[Place, WorkflowClient]]:
    addresses = json.dumps({"auth": services.addresses["auth"]})
    async with (
        place("workflow", path, addresses, function, store) as replica,
        workflow_client(path, services.addresses | replica.addresses) as client,
    ):
        yield replica, client


def _figures(what: str, embedded: Load, one: _Found, two: _Found) -> list[Figure]:
    """Beside the embedded store, and the second replica beside the first."""
    found = [
        Figure(f"{what}: one replica, beside embedded", one.load.rate, "/s", embedded.rate),
        Figure("  two replicas, beside one", two.load.rate, "/s", one.load.rate),
        Figure(
            "  CPU of one per 1,000, beside embedded",
            one.load.server_cpu_per_1000,
            "s",
            embedded.server_cpu_per_1000,
        ),
        Figure(
            "  CPU of two per 1,000, beside one",
            two.load.server_cpu_per_1000,
            "s",
            one.load.server_cpu_per_1000,
        ),
    ]
    if one.server is not None and two.server is not None:
        found.append(
            Figure("  CPU of the store's server, with two and one", two.server, "s", one.server)
        )
    return found
