"""Every adapter of the workflow service's store ports, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis.messaging.relay import EventLog
from chassis.storage.sqlite import SqliteDatabase
from tests.support.time import ManualClock
from workflow_service.adapters.sqlite.bell import LogBell
from workflow_service.adapters.sqlite.event_log import SqliteEventLog
from workflow_service.adapters.sqlite.event_store import SqliteEventStore
from workflow_service.adapters.sqlite.inbound_events import SqliteInboundEvents
from workflow_service.adapters.sqlite.retention import SqliteRetention
from workflow_service.adapters.sqlite.schema import MIGRATIONS
from workflow_service.adapters.sqlite.summaries import SqliteSummaries
from workflow_service.application.ports import (
    Commit,
    EventStore,
    InboundEvents,
    Retention,
    Summaries,
)


@dataclass(frozen=True, slots=True)
class Stores:
    """The ports of one store, as one process has them."""

    events: EventStore
    summaries: Summaries
    inbound: InboundEvents
    log: EventLog
    clock: ManualClock
    retention: Retention


Open = Callable[[Path, str], AbstractAsyncContextManager[Stores]]
"""Opens the store of a folder as the node of that name; what is there stays there."""


@asynccontextmanager
async def _sqlite(path: Path | None, node: str) -> AsyncIterator[Stores]:
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS) as database:
        clock = ManualClock()
        yield sqlite_stores(database, node, clock)


def sqlite_stores(database: SqliteDatabase, node: str, clock: ManualClock) -> Stores:
    """The ports on *database*."""
    bell = LogBell()
    log = SqliteEventLog(database, bell=bell)
    return Stores(
        SqliteEventStore(database, node=node, clock=clock, bell=bell),
        SqliteSummaries(database),
        SqliteInboundEvents(database, bell=bell),
        log,
        clock,
        SqliteRetention(database, log),
    )


STORES: dict[str, Open] = {
    "sqlite": lambda folder, node: _sqlite(folder / "workflow.db", node),
    "sqlite in memory": lambda _, node: _sqlite(None, node),
}
DURABLE_STORES: dict[str, Open] = {"sqlite": STORES["sqlite"]}


async def append(stores: Stores, *commits: Commit) -> None:
    """Append *commits*, one after the other."""
    for commit in commits:
        await stores.events.append(commit)
