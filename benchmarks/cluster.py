"""`python -m benchmarks.cluster [ROW …] [--json] [--tiny]`: what real servers cost; see docs/messaging.md.

The broker is the one that `AUTOWORKER_BENCH_AMQP_URL` names, or that of this machine; MongoDB that of
`AUTOWORKER_BENCH_MONGO_URL`, or the stand-in of the tests; Redis that of `AUTOWORKER_BENCH_REDIS_URL`, or that of this machine; Consul
that of `AUTOWORKER_BENCH_CONSUL_URL`, or one of its own.
"""

import argparse
import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiormq
import msgspec
import uvloop
from rich.console import Console

from benchmarks.folders import folder
from benchmarks.report import Figure, Report, as_json, show
from benchmarks.rows.caches import caches
from benchmarks.rows.discovery import discovery
from benchmarks.rows.replicas import replicas, takeover
from benchmarks.rows.stores import stores
from benchmarks.sizes import TINY, Sizes
from chassis.clock import SystemClock
from chassis.crypto.key_file import WrappingKeys
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Bus, CloudEvent
from chassis.messaging.rabbitmq.bus import RabbitBus
from chassis.messaging.rabbitmq.envelope import Seals
from chassis.messaging.rabbitmq.settings import RabbitSettings
from chassis.messaging.relay import Relay
from notification_service.adapters.sqlite.store import SqliteStore, opened
from notification_service.application.ports import Effect, EventKey
from notification_service.domain.notification import Message, NewNotification
from notification_service.domain.recipient import Recipient

AT_ONCE: Final = 100
TYPE: Final = "io.autoworker.workflow.execution-ended.v1"
QUEUE: Final = "bench-endings"
_DATA: Final = msgspec.Raw(msgspec.json.encode({"execution_id": "x" * 36, "note": "n" * 300}))


def amqp_url() -> str:
    """Where the broker is."""
    return os.environ.get("AUTOWORKER_BENCH_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/")


class Outbox:
    """A committed log in memory: what is measured begins at the relay."""

    def __init__(self, count: int) -> None:
        now = datetime.now(UTC)
        self.entries = [
            (n, CloudEvent(f"e{n}", "/bench", TYPE, now, _DATA, extensions={"tenant": "default"}))
            for n in range(1, count + 1)
        ]

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """See `EventLog`."""
        return self.entries[after : after + limit]

    async def load_checkpoint(self, name: str) -> int:
        """See `EventLog`."""
        return 0

    async def save_checkpoint(self, name: str, position: int) -> None:
        """See `EventLog`."""

    async def wait_for_log(self, after: int) -> None:
        """See `EventLog`."""
        await asyncio.Event().wait()


class Inbox:
    """What the notification service does with each event: inbox and effect in one transaction."""

    def __init__(self, store: SqliteStore, count: int) -> None:
        self._store = store
        self._left = count
        self.full = asyncio.Event()

    async def __call__(self, event: CloudEvent) -> None:
        """Take it in, once."""
        message = Message(TYPE, "It has ended", "Completed.", bytes(_DATA))
        note = NewNotification(f"n-{event.id}", Recipient("default", "ada"), message, event.time)
        if await self._store.intake.settle(
            EventKey(event.source, event.id), Effect(notification=note)
        ):
            self._left -= 1
            if not self._left:
                self.full.set()


async def bus_row(sizes: Sizes) -> Report:
    """Events a second from a log through the relay and the bus into inboxes, once each."""
    count = sizes.flood
    bare = max([await _bare(count) for _ in range(sizes.runs)])
    confirmed = max([await _confirmed(count) for _ in range(sizes.runs)])
    broker = max([await _through(count, _rabbit) for _ in range(sizes.runs)])
    embedded = max([await _through(count, _memory) for _ in range(sizes.runs)])
    return Report(
        "bus",
        f"{count} events through the relay; RabbitMQ on this machine, quorum queues",
        (
            Figure("published and confirmed (reference: the bare driver)", confirmed, "/s", bare),
            Figure("into the inbox (reference: the embedded bus)", broker[0], "/s", embedded[0]),
            Figure("CPU of publisher and consumer an event", broker[1], "µs", embedded[1]),
        ),
    )


ROWS: Final[dict[str, Callable[[Sizes], Awaitable[Report]]]] = {
    "bus": bus_row,
    "store": stores,
    "cache": caches,
    "replicas": replicas,
    "takeover": takeover,
    "discovery": discovery,
}


@asynccontextmanager
async def _rabbit() -> AsyncIterator[Bus]:
    prefix = f"bench-{secrets.token_hex(4)}"
    seals = Seals("bench", WrappingKeys("k", {"k": secrets.token_bytes(32)}), SystemClock())
    try:
        async with RabbitBus(RabbitSettings(amqp_url(), prefix), seals, client="bench") as bus:
            yield bus
    finally:
        await _delete(prefix)


async def _delete(prefix: str) -> None:
    connection = await aiormq.connect(amqp_url())
    channel = await connection.channel()
    for queue in (QUEUE, "dead-letters"):
        await channel.queue_delete(f"{prefix}.{queue}")
    for exchange in ("events", "outside", "dead"):
        await channel.exchange_delete(f"{prefix}.{exchange}")
    await connection.close()


@asynccontextmanager
async def _memory() -> AsyncIterator[Bus]:
    async with MemoryBus() as bus:
        yield bus


Opener = Callable[[], AbstractAsyncContextManager[Bus]]


async def _through(count: int, opened_bus: Opener) -> tuple[float, float]:
    """Events a second, and microseconds of CPU time that each took in this process."""
    with folder() as place:
        async with opened(Path(place) / "notification.db") as store, opened_bus() as bus:
            inbox = Inbox(store, count)
            bus.subscribe(QUEUE, [TYPE], inbox, at_once=AT_ONCE)
            await bus.publish([])
            began, worked = time.perf_counter(), time.process_time()
            relay = asyncio.create_task(Relay(Outbox(count), bus).run())
            await inbox.full.wait()
            took, work = time.perf_counter() - began, time.process_time() - worked
            relay.cancel()
            return count / took, work / count * 1e6


async def _confirmed(count: int) -> float:
    outbox = Outbox(count)
    async with _rabbit() as bus:
        bus.expect(QUEUE, [TYPE], at_once=AT_ONCE)
        await bus.publish([event for _, event in outbox.entries[:1]])
        began = time.perf_counter()
        for start in range(0, count, 200):
            await bus.publish([event for _, event in outbox.entries[start : start + 200]])
        return count / (time.perf_counter() - began)


async def _bare(count: int) -> float:
    """The driver alone: as many confirmed messages of that size into a quorum queue, 500 in flight."""
    connection = await aiormq.connect(amqp_url())
    channel = await connection.channel()
    queue = f"bench-{secrets.token_hex(4)}"
    await channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
    properties = aiormq.spec.Basic.Properties

    async def one() -> None:
        message = properties(delivery_mode=2)
        await channel.basic_publish(bytes(_DATA), routing_key=queue, properties=message)

    began = time.perf_counter()
    for start in range(0, count, 500):
        await asyncio.gather(*(one() for _ in range(min(500, count - start))))
    took = time.perf_counter() - began
    await channel.queue_delete(queue)
    await connection.close()
    return count / took


async def _measured(row: str, sizes: Sizes) -> Report:
    async with asyncio.timeout(900):
        return await ROWS[row](sizes)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="which; all by default")
    parser.add_argument("--json", action="store_true", help="print JSON, for machines")
    parser.add_argument("--tiny", action="store_true", help="see that it works, measure nothing")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    sizes = TINY if asked.tiny else Sizes()
    reports = [uvloop.run(_measured(row, sizes)) for row in asked.rows or ROWS]
    if asked.json:
        print(as_json(reports).decode())
        return
    for report in reports:
        show(console, report)


if __name__ == "__main__":
    main()
