"""All that the workflow service keeps, in one SQLite database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chassis.audit.outbox import outbox_migration
from chassis.clock import Clock
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.metrics import observe_commit
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.adapters.sqlite import definitions, functions, schedules, schema, secrets
from workflow_service.adapters.sqlite.children import SqliteChildren
from workflow_service.adapters.sqlite.definitions import SqliteDefinitions
from workflow_service.adapters.sqlite.deployments import SqliteOpenOfDefinitions
from workflow_service.adapters.sqlite.event_log import SqliteEventLog
from workflow_service.adapters.sqlite.event_store import SqliteEventStore
from workflow_service.adapters.sqlite.functions import SqliteFunctions
from workflow_service.adapters.sqlite.inbound_events import SqliteInboundEvents
from workflow_service.adapters.sqlite.intake import SqliteIntake
from workflow_service.adapters.sqlite.retention import SqliteRetention
from workflow_service.adapters.sqlite.schedules import SqliteSchedules
from workflow_service.adapters.sqlite.secrets import SqliteSecrets, SqliteTenantKeys
from workflow_service.adapters.sqlite.subscriptions import SqliteSubscriptions
from workflow_service.adapters.sqlite.summaries import SqliteSummaries
from workflow_service.application.projections.announcements import Wanted

_AUDIT: Final = 45
"""The number of the step that makes the outbox of the audit trail."""
_TABLES: Final = (schema, schedules, functions, secrets, definitions)
MIGRATIONS: Final = tuple(
    sorted(
        (
            outbox_migration(_AUDIT),
            *(migration for module in _TABLES for migration in module.MIGRATIONS),
        ),
        key=lambda migration: migration.version,
    )
)
"""How the tables came to be, in order."""


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """Every port that the database serves."""

    database: SqliteDatabase
    node: str
    definitions: SqliteDefinitions
    events: SqliteEventStore
    summaries: SqliteSummaries
    inbound: SqliteInboundEvents
    intake: SqliteIntake
    subscriptions: SqliteSubscriptions
    functions: SqliteFunctions
    secrets: SqliteSecrets
    tenant_keys: SqliteTenantKeys
    children: SqliteChildren
    open_of_definitions: SqliteOpenOfDefinitions
    schedules: SqliteSchedules
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
    path: Path | None, *, node: str, clock: Clock, wanted: Wanted, codec: PayloadCodec
) -> AsyncIterator[SqliteStores]:
    """Open the database at *path*, brought up to date; None is a private one in memory.

    Args:
        path: its file.
        node: who writes.
        clock: tells which idempotency keys live.
        wanted: whether anybody listens to a type of event.
        codec: takes large values out of commits.
    """
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS) as database:
        bell, arrivals = LogBell(), IntakeBell()
        log = SqliteEventLog(database, bell=bell, wanted=wanted)
        yield SqliteStores(
            database=database,
            node=node,
            definitions=SqliteDefinitions(database),
            events=SqliteEventStore(
                database,
                node=node,
                clock=clock,
                bell=bell,
                observe=observe_commit,
                codec=codec,
                intake=arrivals,
            ),
            summaries=SqliteSummaries(database),
            inbound=SqliteInboundEvents(database, bell=bell, intake=arrivals),
            intake=SqliteIntake(database, bell=arrivals),
            subscriptions=SqliteSubscriptions(database),
            functions=SqliteFunctions(database),
            secrets=SqliteSecrets(database),
            tenant_keys=SqliteTenantKeys(database),
            children=SqliteChildren(database),
            open_of_definitions=SqliteOpenOfDefinitions(database),
            schedules=SqliteSchedules(database),
            log=log,
            retention=SqliteRetention(database, log),
        )
