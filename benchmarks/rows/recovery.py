"""How soon the workflow service is back after it was killed with many executions under way."""

import asyncio
import time

from benchmarks.clients import workflow_client
from benchmarks.folders import folder
from benchmarks.load import flood
from benchmarks.processes import place
from benchmarks.report import Figure, Report, at_most
from benchmarks.rows.durable import CALLS
from benchmarks.sizes import Sizes


async def recovery(sizes: Sizes) -> Report:
    """Kill the services with open executions; time the start, a new execution, and the old ones."""
    with folder() as path:
        async with place("services", path, "stuck") as services:
            async with workflow_client(path, services.addresses) as client:
                await client.publish(CALLS)
                await flood(lambda: client.start("calls"), 200, sizes.parked)
            await services.kill()
        began = time.perf_counter()
        async with place("services", path) as services:
            up = time.perf_counter() - began
            async with workflow_client(path, services.addresses) as client:
                await client.run("calls")
                first = time.perf_counter() - began
                while await client.any_in("running"):  # noqa: ASYNC110 - in another process
                    await asyncio.sleep(0.05)
                last = time.perf_counter() - began
    return Report(
        "recovery",
        f"killed with {sizes.parked:,} open executions, each in its first call",
        (
            Figure("from the start of the process until it listens", up, "s"),
            at_most("until a new execution has completed", first, "s", 5),
            Figure("until all that were open have completed", last, "s"),
        ),
    )
