"""All stores of the service on one database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from auth_service.adapters.sqlite.event_log import SqliteEventLog
from auth_service.adapters.sqlite.schema import MIGRATIONS
from auth_service.adapters.sqlite.sessions import SqliteSessions
from auth_service.adapters.sqlite.signing_keys import SqliteSigningKeys
from auth_service.adapters.sqlite.tide import Tide
from auth_service.adapters.sqlite.users import SqliteUsers
from chassis.storage.sqlite import SqliteDatabase


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """The stores, and the database below them."""

    database: SqliteDatabase
    users: SqliteUsers
    sessions: SqliteSessions
    keys: SqliteSigningKeys
    log: SqliteEventLog

    async def check(self) -> None:
        """Whether the store answers, for health checks.

        Raises:
            StoreUnavailable: it does not.
        """
        await self.database.read(lambda connection: connection.execute("SELECT 1").fetchone())


@asynccontextmanager
async def sqlite_stores(path: Path | None) -> AsyncIterator[SqliteStores]:
    """The stores in the file *path*, readable by its owner only; None: in memory.

    Raises:
        chassis.errors.CannotStart: the file cannot be used.
    """
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS, name="auth") as database:
        announced = Tide()
        yield SqliteStores(
            database=database,
            users=SqliteUsers(database, announced),
            sessions=SqliteSessions(database, announced=announced, revoked=Tide()),
            keys=SqliteSigningKeys(database),
            log=SqliteEventLog(database, announced),
        )
