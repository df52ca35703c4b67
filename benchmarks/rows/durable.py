"""Rows a, b and c: workflows through the workflow service's gRPC, and all their commits on the disk."""

from benchmarks.clients import document, skeleton_client, workflow_client
from benchmarks.folders import folder
from benchmarks.load import Load, best
from benchmarks.processes import place
from benchmarks.report import Figure, Report, at_least, at_most
from benchmarks.sizes import Sizes

IN_FLIGHT = 200
CALLS = document("calls", [{f"step{n}": {"call": "noop"}} for n in range(3)])
SETS = document("sets", [{f"step{n}": {"set": {"text": "${ .text }"}}} for n in range(3)])


async def _product(name: str, in_flight: int, calls: int, runs: int) -> Load:
    with folder() as path:
        async with (
            place("services", path) as services,
            workflow_client(path, services.addresses) as client,
        ):
            await client.publish(CALLS)
            await client.publish(SETS)
            return await best(runs, lambda: client.run(name), in_flight, calls, [services])


async def _skeleton(commits: int, in_flight: int, calls: int, runs: int) -> Load:
    with folder() as path:
        async with (
            place("skeleton", path, str(commits)) as bare,
            skeleton_client(bare.addresses["grpc"]) as once,
        ):
            return await best(runs, once, in_flight, calls, [bare])


async def three_calls(sizes: Sizes) -> Report:
    """Row a."""
    load = await _product("calls", IN_FLIGHT, sizes.flood, sizes.runs)
    bare = await _skeleton(4, IN_FLIGHT, sizes.flood, sizes.runs)
    return Report(
        "a",
        f"three durable calls, {IN_FLIGHT} in flight",
        (
            at_least("executions a second", load.rate, "/s", 1200, bare.rate),
            at_most(
                "CPU of all processes per 1,000", load.cpu_per_1000, "s", 1.5, bare.cpu_per_1000
            ),
            *_shares(load, bare),
        ),
    )


async def alone(sizes: Sizes) -> Report:
    """Row b."""
    load = await _product("calls", 1, sizes.alone, sizes.runs)
    bare = await _skeleton(4, 1, sizes.alone, sizes.runs)
    return Report(
        "b",
        "three durable calls, one execution at a time",
        (
            at_most("p50", load.quantile(0.5), "ms", 4, bare.quantile(0.5)),
            at_most("p99", load.quantile(0.99), "ms", 10, bare.quantile(0.99)),
        ),
    )


async def three_sets(sizes: Sizes) -> Report:
    """Row c."""
    load = await _product("sets", IN_FLIGHT, sizes.flood, sizes.runs)
    bare = await _skeleton(1, IN_FLIGHT, sizes.flood, sizes.runs)
    return Report(
        "c",
        f"three set tasks, {IN_FLIGHT} in flight",
        (
            at_least("executions a second", load.rate, "/s", 2000, bare.rate),
            *_shares(load, bare),
        ),
    )


def _shares(load: Load, bare: Load) -> tuple[Figure, ...]:
    return (
        Figure("  of it in the services", load.server_cpu_per_1000, "s", bare.server_cpu_per_1000),
        Figure("p50", load.quantile(0.5), "ms", bare.quantile(0.5)),
        Figure("p99", load.quantile(0.99), "ms", bare.quantile(0.99)),
    )
