"""The whole store: one file, every port."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.bells import Bells, EventBell
from notification_service.adapters.sqlite.contacts import SqliteContacts
from notification_service.adapters.sqlite.dead_letters import SqliteDeadLetters
from notification_service.adapters.sqlite.deliveries import (
    SqliteDeliveryLog,
    SqliteDeliveryQueue,
)
from notification_service.adapters.sqlite.inbox import SqliteInbox
from notification_service.adapters.sqlite.intake import SqliteIntake
from notification_service.adapters.sqlite.mails import SqliteMails
from notification_service.adapters.sqlite.preferences import SqlitePreferences
from notification_service.adapters.sqlite.schema import MIGRATIONS


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """Every storage port of the service on one database."""

    database: SqliteDatabase
    intake: SqliteIntake
    inbox: SqliteInbox
    contacts: SqliteContacts
    preferences: SqlitePreferences
    log: SqliteDeliveryLog
    queue: SqliteDeliveryQueue
    mails: SqliteMails
    dead_letters: SqliteDeadLetters

    async def check(self) -> None:
        """Whether it can be read.

        Raises:
            StoreUnavailable: it cannot.
        """
        _ = await self.queue.depth()


@contextlib.asynccontextmanager
async def opened(path: Path | None) -> AsyncIterator[SqliteStore]:
    """The store in the file at *path*, or a private one in memory.

    Raises:
        CannotStart: the file cannot be used.
    """
    async with await SqliteDatabase.open(
        path, migrations=MIGRATIONS, name="notification"
    ) as database:
        bells, work = Bells(), EventBell()
        yield SqliteStore(
            database=database,
            intake=SqliteIntake(database, bells, work),
            inbox=SqliteInbox(database, bells),
            contacts=SqliteContacts(database),
            preferences=SqlitePreferences(database),
            log=SqliteDeliveryLog(database),
            queue=SqliteDeliveryQueue(database, work),
            mails=SqliteMails(database, work),
            dead_letters=SqliteDeadLetters(database),
        )
