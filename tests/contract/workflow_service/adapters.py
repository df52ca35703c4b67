"""Every adapter of the workflow service's store ports, by name."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis.lifecycle import Supervisor
from chassis.messaging.relay import EventLog
from chassis.storage.mongo import MongoDatabase
from chassis.storage.mongo import opened as opened_mongo
from chassis.storage.mongo_migrations import migrate
from chassis.storage.mongo_presence import Presence
from chassis.storage.sqlite import SqliteDatabase
from tests.support.mongodb import database_url, kept_url
from tests.support.servers import mongo_url
from tests.support.time import ManualClock
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.mongo import schema as mongo_schema
from workflow_service.adapters.mongo import stores as mongo
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.adapters.sqlite import schedules, schema
from workflow_service.adapters.sqlite.children import SqliteChildren
from workflow_service.adapters.sqlite.deployments import SqliteOpenOfDefinitions
from workflow_service.adapters.sqlite.event_log import SqliteEventLog
from workflow_service.adapters.sqlite.event_store import SqliteEventStore
from workflow_service.adapters.sqlite.inbound_events import SqliteInboundEvents
from workflow_service.adapters.sqlite.intake import SqliteIntake
from workflow_service.adapters.sqlite.retention import SqliteRetention
from workflow_service.adapters.sqlite.schedules import SqliteSchedules
from workflow_service.adapters.sqlite.subscriptions import SqliteSubscriptions
from workflow_service.adapters.sqlite.summaries import SqliteSummaries
from workflow_service.application.children_ports import Children
from workflow_service.application.deployment_ports import OpenOfDefinitions
from workflow_service.application.event_ports import Intake, Subscriptions
from workflow_service.application.ports import (
    Commit,
    EventStore,
    InboundEvents,
    Retention,
    Summaries,
)
from workflow_service.application.projections.announcements import required
from workflow_service.application.schedule_ports import Schedules

_MIGRATIONS = sorted(
    (*schema.MIGRATIONS, *schedules.MIGRATIONS), key=lambda migration: migration.version
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
    payloads_kept: Callable[[], Awaitable[int]]
    """Looks behind the ports: how many large values there are."""
    children: Children
    intake: Intake
    subscriptions: Subscriptions
    schedules: Schedules
    open_of_definitions: OpenOfDefinitions


Open = Callable[[Path, str], AbstractAsyncContextManager[Stores]]
"""Opens the store of a folder as the node of that name; what is there stays there."""


@asynccontextmanager
async def _sqlite(path: Path | None, node: str) -> AsyncIterator[Stores]:
    async with await SqliteDatabase.open(path, migrations=_MIGRATIONS) as database:
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
        lambda: database.read(_count_payloads),
        SqliteChildren(database),
        SqliteIntake(database, bell=IntakeBell()),
        SqliteSubscriptions(database),
        SqliteSchedules(database),
        SqliteOpenOfDefinitions(database),
    )


def _count_payloads(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT COUNT(*) FROM payloads").fetchone()[0])


@asynccontextmanager
async def _mongo(folder: Path, node: str) -> AsyncIterator[Stores]:
    async with (
        mongo_database(folder) as database,
        Presence(database, node) as presence,
        Supervisor() as supervisor,
    ):
        yield mongo_stores(database, Journal(database, supervisor, node=node), presence)


@asynccontextmanager
async def mongo_database(folder: Path) -> AsyncIterator[MongoDatabase]:
    """The workflow service's database of a test, brought up to date."""
    url = kept_url(folder) or database_url(mongo_url(), folder)
    async with opened_mongo(url, "workflow") as database:
        await migrate(database, mongo_schema.MIGRATIONS)
        yield database


def mongo_stores(database: MongoDatabase, journal: Journal, presence: Presence) -> Stores:
    """The ports on *database*; what other nodes left may be taken over at once."""
    clock = ManualClock()

    async def everybody() -> list[str]:
        return [each["_id"] async for each in database.collection("nodes").find()]

    stores = mongo.stores_on(
        database,
        journal,
        presence,
        clock=clock,
        wanted=required,
        codec=PayloadCodec(),
        dead=everybody,
    )

    async def count_payloads() -> int:
        return await database.collection("payloads").count_documents({"users": {"$gt": 0}})

    return Stores(
        stores.events,
        stores.summaries,
        stores.inbound,
        stores.log,
        clock,
        stores.retention,
        count_payloads,
        stores.children,
        stores.intake,
        stores.subscriptions,
        stores.schedules,
        stores.open_of_definitions,
    )


STORES: dict[str, Open] = {
    "sqlite": lambda folder, node: _sqlite(folder / "workflow.db", node),
    "sqlite in memory": lambda _, node: _sqlite(None, node),
    "mongodb": _mongo,
}
DURABLE_STORES: dict[str, Open] = {name: STORES[name] for name in ("sqlite", "mongodb")}


async def append(stores: Stores, *commits: Commit) -> None:
    """Append *commits*, one after the other."""
    for commit in commits:
        await stores.events.append(commit)
