"""All that the workflow service keeps, in one SQLite database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis.clock import Clock
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.metrics import observe_commit
from workflow_service.adapters.sqlite import definitions, functions, schema
from workflow_service.adapters.sqlite.bell import LogBell
from workflow_service.adapters.sqlite.definitions import SqliteDefinitions
from workflow_service.adapters.sqlite.event_log import SqliteEventLog
from workflow_service.adapters.sqlite.event_store import SqliteEventStore
from workflow_service.adapters.sqlite.functions import SqliteFunctions
from workflow_service.adapters.sqlite.inbound_events import SqliteInboundEvents
from workflow_service.adapters.sqlite.retention import SqliteRetention
from workflow_service.adapters.sqlite.summaries import SqliteSummaries
from workflow_service.application.projections.announcements import Wanted


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """Every port that the database serves."""

    database: SqliteDatabase
    node: str
    definitions: SqliteDefinitions
    events: SqliteEventStore
    summaries: SqliteSummaries
    inbound: SqliteInboundEvents
    functions: SqliteFunctions
    log: SqliteEventLog
    retention: SqliteRetention

    async def check(self) -> None:
        """Read something.

        Raises:
            Unavailable: the database does not answer.
        """
        await self.database.read(lambda db: db.execute("SELECT 1").fetchone())


@asynccontextmanager
async def opened(
    path: Path | None, *, node: str, clock: Clock, wanted: Wanted
) -> AsyncIterator[SqliteStores]:
    """Open the database at *path*, brought up to date; None is a private one in memory.

    Args:
        path: its file.
        node: who writes.
        clock: tells which idempotency keys live.
        wanted: whether anybody listens to a type of event.
    """
    migrations = (*schema.MIGRATIONS, *functions.MIGRATIONS, *definitions.MIGRATIONS)
    async with await SqliteDatabase.open(path, migrations=migrations) as database:
        bell = LogBell()
        log = SqliteEventLog(database, bell=bell, wanted=wanted)
        yield SqliteStores(
            database=database,
            node=node,
            definitions=SqliteDefinitions(database),
            events=SqliteEventStore(
                database, node=node, clock=clock, bell=bell, observe=observe_commit
            ),
            summaries=SqliteSummaries(database),
            inbound=SqliteInboundEvents(database, bell=bell),
            functions=SqliteFunctions(database),
            log=log,
            retention=SqliteRetention(database, log),
        )
