"""Row loop: executions with much behind them, and with much in their hands."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec

from benchmarks.clients import WorkflowClient, document, workflow_client
from benchmarks.folders import folder
from benchmarks.processes import Place, place
from benchmarks.report import Figure, Report, at_most
from benchmarks.sizes import Sizes

MEBIBYTE = 1024 * 1024
LARGE = 900_000
"""Bytes."""
_KEPT = {"n": "${ .n }", "large": "${ .large }", "last": "${ $item }"}
_LOOP = {"for": {"each": "item", "in": "${ [range(.n)] }"}, "do": [{"keep": {"set": _KEPT}}]}
LOOP = document("loop", [{"walk": _LOOP}])
PARKED_LOOP = document("parked-loop", [{"walk": _LOOP}, {"sleep": {"wait": {"days": 30}}}])


class Run(msgspec.Struct, frozen=True):
    """What one loop took."""

    seconds: float
    added: float
    """MiB of memory, at the most, above what the process held before."""
    stored: float
    """MiB by which the store has grown."""


async def loops(sizes: Sizes) -> Report:
    """Long loops, one of them with a large value in every event, and the end of a long history."""
    with folder() as path:
        async with (
            place("services", path) as services,
            workflow_client(path, services.addresses) as client,
        ):
            await client.publish(LOOP)
            await client.publish(PARKED_LOOP)
            _ = await _looped(path, services, client, sizes.loop // 10, "")
            short = await _looped(path, services, client, sizes.loop, "")
            long = await _looped(path, services, client, sizes.loop * 10, "")
            large = await _looped(path, services, client, sizes.loop // 10, "x" * LARGE)
            cancelled = await _cancelled(client, sizes.loop * 10)
    return Report(
        "loop",
        "a loop of `set` tasks in the services",
        (
            at_most(f"{sizes.loop:,} iterations", short.seconds, "s", 3),
            at_most("memory added meanwhile", short.added, "MiB", 100),
            Figure(f"{sizes.loop * 10:,} iterations", long.seconds, "s"),
            Figure("memory added meanwhile", long.added, "MiB"),
            Figure(f"{sizes.loop // 10:,} iterations, each with 900 kB", large.seconds, "s"),
            Figure("added to the store by them", large.stored, "MiB"),
            at_most(f"cancel after {sizes.loop * 40:,} events", cancelled * 1000, "ms", 50),
        ),
    )


async def _looped(
    path: str, services: Place, client: WorkflowClient, iterations: int, large: str
) -> Run:
    data = msgspec.json.encode({"n": iterations, "large": large})
    before, stored = (await services.usage()).rss, _size(path)
    began = time.perf_counter()
    async with _peak(services) as peak:
        await client.run("loop", data)
    seconds = time.perf_counter() - began
    return Run(seconds, (peak[0] - before) / MEBIBYTE, (_size(path) - stored) / MEBIBYTE)


@asynccontextmanager
async def _peak(services: Place) -> AsyncIterator[list[int]]:
    """Hold the most memory that is seen meanwhile, in bytes."""
    most = [0]

    async def look() -> None:
        while True:
            most[0] = max(most[0], (await services.usage()).rss)
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        most[0] = max(most[0], (await services.usage()).rss)


async def _cancelled(client: WorkflowClient, iterations: int) -> float:
    """Seconds that it takes to cancel an execution with a large input behind a loop."""
    data = msgspec.json.encode({"n": iterations, "large": "", "unused": "x" * LARGE})
    execution = await client.start("parked-loop", data=data)
    while not await client.any_in("waiting"):  # noqa: ASYNC110 - in another process
        await asyncio.sleep(0.05)
    began = time.perf_counter()
    await client.cancel(execution.id)
    return time.perf_counter() - began


def _size(path: str) -> int:
    """Bytes of the store, what is still in its log included."""
    (file,) = Path(path).rglob("workflow.db")
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as store:
        (pages,) = store.execute("PRAGMA page_count").fetchone()
        (size,) = store.execute("PRAGMA page_size").fetchone()
    return int(pages * size)
