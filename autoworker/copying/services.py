"""What each service keeps, on either side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth_service.adapters.mongo import copied as auth_documents
from auth_service.adapters.mongo.schema import MIGRATIONS as AUTH_MONGO
from auth_service.adapters.sqlite import copied as auth_tables
from auth_service.adapters.sqlite.schema import MIGRATIONS as AUTH
from chassis.storage.copying import documents, tables
from chassis.storage.migrations import Migration
from chassis.storage.mongo import MongoDatabase
from chassis.storage.mongo_migrations import MongoMigration
from notification_service.adapters.mongo import copied as notification_documents
from notification_service.adapters.mongo.schema import MIGRATIONS as NOTIFICATION_MONGO
from notification_service.adapters.sqlite import copied as notification_tables
from notification_service.adapters.sqlite.schema import MIGRATIONS as NOTIFICATION
from workflow_service.adapters.mongo import copied as workflow_documents
from workflow_service.adapters.mongo.schema import MIGRATIONS as WORKFLOW_MONGO
from workflow_service.adapters.mongo.stores import settled
from workflow_service.adapters.sqlite import copied as workflow_tables
from workflow_service.adapters.sqlite.stores import MIGRATIONS as WORKFLOW


async def _as_it_is(_: MongoDatabase) -> None:
    """Nothing has to be done before it is read."""


@dataclass(frozen=True, slots=True)
class InFile:
    """How a service keeps its records in SQLite."""

    shelves: Sequence[tables.Shelf]
    migrations: Sequence[Migration]


@dataclass(frozen=True, slots=True)
class OnServer:
    """How a service keeps its records in MongoDB."""

    shelves: Sequence[documents.Shelf]
    migrations: Sequence[MongoMigration]
    settle: Callable[[MongoDatabase], Awaitable[None]] = _as_it_is
    """Finishes what a dead process began."""


FILES: Final[Mapping[str, InFile]] = {
    "auth": InFile(auth_tables.SHELVES, AUTH),
    "workflow": InFile(workflow_tables.SHELVES, WORKFLOW),
    "notification": InFile(notification_tables.SHELVES, NOTIFICATION),
}
DATABASES: Final[Mapping[str, OnServer]] = {
    "auth": OnServer(auth_documents.SHELVES, AUTH_MONGO),
    "workflow": OnServer(workflow_documents.SHELVES, WORKFLOW_MONGO, settled),
    "notification": OnServer(notification_documents.SHELVES, NOTIFICATION_MONGO),
}
SERVICES: Final = tuple(FILES)
