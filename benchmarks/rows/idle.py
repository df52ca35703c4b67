"""Row e: what the whole suite costs while nothing happens."""

import asyncio

from benchmarks.clients import document, workflow_client
from benchmarks.folders import folder
from benchmarks.load import flood
from benchmarks.processes import Place, Usage, place
from benchmarks.report import Figure, Report, at_most
from benchmarks.sizes import Sizes

PARKED = document("parked", [{"sleep": {"wait": {"days": 30}}}])
MEBIBYTE = 1024 * 1024
SETTLE = 3.0
"""Seconds until a process that was busy has come to rest."""


async def idle(sizes: Sizes) -> Report:
    """Row e."""
    with folder() as path:
        async with place("suite", path) as suite:
            async with workflow_client(path, suite.addresses) as client:
                await client.publish(PARKED)
            share, before = await at_rest(suite, sizes.idle_seconds)
            async with workflow_client(path, suite.addresses) as client:
                await flood(lambda: client.start("parked"), 200, sizes.parked)
            parked_share, after = await at_rest(suite, sizes.idle_seconds)
    added = (after.rss - before.rss) / MEBIBYTE
    return Report(
        "e",
        "idle, all four services in one process",
        (
            at_most("CPU of one core", share, "%", 1.0),
            at_most("resident", before.rss / MEBIBYTE, "MiB", 250),
            at_most(f"added by {sizes.parked:,} executions in wait", added, "MiB", 50),
            Figure("CPU with them", parked_share, "%"),
        ),
    )


async def at_rest(suite: Place, seconds: float) -> tuple[float, Usage]:
    """The share of a core in per cent that is used in that many *seconds*, and what is held then."""
    await asyncio.sleep(min(SETTLE, seconds))
    before = await suite.usage()
    await asyncio.sleep(seconds)
    after = await suite.usage()
    return (after.cpu - before.cpu) / seconds * 100, after
