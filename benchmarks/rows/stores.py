"""The same workflows on the embedded store and on a server, in one run: what sharing a store costs."""

import secrets
from typing import Final

from benchmarks.clients import workflow_client
from benchmarks.folders import folder
from benchmarks.load import Load, best
from benchmarks.processes import place
from benchmarks.report import Figure, Report
from benchmarks.rows.durable import SETS
from benchmarks.servers import mongo
from benchmarks.sizes import Sizes

MANY: Final = 100


async def stores(sizes: Sizes) -> Report:
    """Three `set` tasks on MongoDB, beside SQLite."""
    name = f"bench{secrets.token_hex(4)}"
    async with mongo() as server:
        try:
            many, alone = await _measured(sizes, f"{server.url}{name}")
        finally:
            await server.drop(name)
    many_embedded, alone_embedded = await _measured(sizes, "sqlite://")
    return Report(
        "store",
        f"three set tasks on {server.name} beside SQLite, {MANY} in flight and alone",
        (
            Figure("executions a second", many.rate, "/s", many_embedded.rate),
            Figure(
                "CPU of the services per 1,000",
                many.server_cpu_per_1000,
                "s",
                many_embedded.server_cpu_per_1000,
            ),
            Figure("p50", many.quantile(0.5), "ms", many_embedded.quantile(0.5)),
            Figure("alone, p50", alone.quantile(0.5), "ms", alone_embedded.quantile(0.5)),
        ),
    )


async def _measured(sizes: Sizes, store: str) -> tuple[Load, Load]:
    with folder() as path:
        async with (
            place("services", path, "echo", store) as services,
            workflow_client(path, services.addresses) as client,
        ):
            await client.publish(SETS)
            calls = sizes.alone // 2
            many = await best(1, lambda: client.run("sets"), MANY, calls, [services])
            alone = await best(1, lambda: client.run("sets"), 1, calls // 5, [services])
            return many, alone
