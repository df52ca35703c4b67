"""Row listen: executions that wait for events, and what it takes to find the one that an event is for."""

import asyncio
import time
from collections.abc import Sequence

import msgspec

from benchmarks.clients import WorkflowClient, document, workflow_client
from benchmarks.folders import folder
from benchmarks.load import flood
from benchmarks.processes import Place, place
from benchmarks.report import Figure, Report, at_most
from benchmarks.rows.idle import MEBIBYTE, SETTLE, at_rest
from benchmarks.sizes import Sizes

_EXPECTED = {"from": "${ .data.order }", "expect": "${ .order | tostring }"}
LISTENER = document(
    "listener",
    [
        {
            "paid": {
                "listen": {
                    "to": {
                        "one": {
                            "with": {"type": "bench.paid"},
                            "correlate": {"order": _EXPECTED},
                        }
                    }
                }
            }
        }
    ],
)


async def listening(sizes: Sizes) -> Report:
    """Park executions, look at them, send events that nobody waits for, and then each its own."""
    with folder() as path:
        async with place("suite", path) as suite:
            async with workflow_client(path, suite.addresses) as client:
                await client.publish(LISTENER)
            _, before = await at_rest(suite, sizes.idle_seconds)
            async with workflow_client(path, suite.addresses) as client:
                started = await _parked(client, sizes.parked)
            share, after = await at_rest(suite, sizes.idle_seconds)
            count = min(sizes.parked, 2_000)
            async with workflow_client(path, suite.addresses) as client:
                strangers = await _sent(suite, client, range(-count, 0), None)
                own = await _sent(suite, client, range(count), started[count - 1])
    parked = f"{sizes.parked:,} that listen"
    return Report(
        "listen",
        "executions that wait for events",
        (
            at_most(f"added by {parked}", (after.rss - before.rss) / MEBIBYTE, "MiB", 50),
            at_most(f"CPU of one core with {parked}", share, "%", 1.0),
            at_most(f"CPU for an event that one of {parked} expects, to its end", own, "ms", 2.0),
            Figure(f"CPU for an event that none of {parked} expects", strangers, "ms"),
        ),
    )


async def _parked(client: WorkflowClient, count: int) -> list[str]:
    """Start so many; return their ids by the order that they wait for."""
    found: dict[int, str] = {}
    orders = iter(range(count))

    async def start() -> None:
        order = next(orders)
        data = msgspec.json.encode({"order": order})
        found[order] = (await client.start("listener", data=data)).id

    await flood(start, 200, count)
    return [found[order] for order in range(count)]


async def _sent(suite: Place, client: WorkflowClient, orders: range, last: str | None) -> float:
    """Send an event for each of *orders*, and wait for the end of *last*; return CPU of the suite, in ms an event."""
    before = await suite.usage()
    waiting: Sequence[int] = list(orders)
    for begin in range(0, len(waiting), 50):
        await client.send("bench.paid", [{"order": order} for order in waiting[begin : begin + 50]])
    if last is None:
        await asyncio.sleep(SETTLE / 3)
    else:
        await _ended(client, last)
    return ((await suite.usage()).cpu - before.cpu) / len(waiting) * 1000


async def _ended(client: WorkflowClient, execution: str) -> None:
    deadline = time.monotonic() + 60
    while (await client.get(execution)).status != "completed":
        if time.monotonic() > deadline:
            raise TimeoutError(f"{execution} was not brought its event")
        await asyncio.sleep(0.05)
