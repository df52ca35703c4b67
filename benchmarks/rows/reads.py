"""Row d: GET /v1/executions/{id} through gateway and gRPC, between its two floors."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from benchmarks.clients import account, skeleton_client, workflow_client
from benchmarks.folders import folder
from benchmarks.load import Load, best
from benchmarks.processes import Place, place
from benchmarks.report import Figure, Report, at_least, at_most
from benchmarks.rows.durable import SETS
from benchmarks.sizes import Sizes

CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class _Loads:
    through: Load
    direct: Load
    http: Load
    grpc: Load
    gateway_cpu: float
    """Microseconds of the gateway alone for each request."""


async def reads(sizes: Sizes) -> Report:
    """Row d."""
    loads = await _measured(sizes)
    through, http = loads.through, loads.http
    return Report(
        "d",
        f"authenticated GET of an execution, {CONNECTIONS} connections, one gateway process",
        (
            at_least("requests a second, beside bare aiohttp", through.rate, "/s", 2200, http.rate),
            Figure("  beside bare grpc.aio", through.rate, "/s", loads.grpc.rate),
            Figure("  beside our own gRPC, without gateway", through.rate, "/s", loads.direct.rate),
            at_most(
                "p99, beside bare aiohttp", through.quantile(0.99), "ms", 40, http.quantile(0.99)
            ),
            Figure("p50", through.quantile(0.5), "ms", http.quantile(0.5)),
            Figure("CPU of the gateway a request", loads.gateway_cpu, "µs"),
            Figure(
                "CPU of gateway and services a request",
                through.server_cpu_per_1000 * 1000,
                "µs",
                http.server_cpu_per_1000 * 1000,
            ),
        ),
    )


async def _measured(sizes: Sizes) -> _Loads:
    with folder() as path:
        async with place("services", path) as services:
            addresses = json.dumps(services.addresses)
            async with workflow_client(path, services.addresses) as client:
                await client.publish(SETS)
                id = (await client.start("sets", wait=10.0)).id

                async def get() -> None:
                    await client.get(id)

                direct = await best(sizes.runs, get, CONNECTIONS, sizes.flood, [services])
            async with (
                account(path, services.addresses) as user,
                place("gateway", path, addresses) as gateway,
            ):
                url = f"{gateway.addresses['http']}/v1/executions/{id}"
                body, through, cpu = await _through(
                    sizes, url, user.access_token, gateway, services
                )
    async with place("http", body) as bare:
        http = await _http(sizes, bare.addresses["http"], "none", [bare])
    async with place("grpc") as bare, skeleton_client(bare.addresses["grpc"]) as once:
        grpc = await best(sizes.runs, once, CONNECTIONS, sizes.flood, [bare])
    return _Loads(through, direct, http, grpc, cpu)


async def _through(
    sizes: Sizes, url: str, token: str, gateway: Place, services: Place
) -> tuple[str, Load, float]:
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {token}"}
        async with session.get(url, headers=headers) as response:
            body = await response.text()
    before = await gateway.usage()
    load = await _http(sizes, url, token, [gateway, services])
    spent = (await gateway.usage()).cpu - before.cpu
    calls = sizes.runs * sizes.flood + max(sizes.flood // 10, CONNECTIONS)
    return body, load, spent / calls * 1e6


async def _http(sizes: Sizes, url: str, token: str, places: list[Place]) -> Load:
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        return await best(sizes.runs, _getting(session, url), CONNECTIONS, sizes.flood, places)


def _getting(session: aiohttp.ClientSession, url: str) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        async with session.get(url) as response:
            await response.read()
            if response.status != 200:
                raise RuntimeError(f"{url} answered {response.status}")

    return once
