"""The whole store: one database that processes share, every port."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from chassis.lifecycle import Supervisor
from chassis.storage.mongo import MongoDatabase
from chassis.storage.mongo import opened as opened_database
from chassis.storage.mongo_migrations import migrate
from chassis.storage.mongo_presence import Presence
from notification_service.adapters.bells import Bells, EventBell
from notification_service.adapters.mongo.dead_letters import MongoDeadLetters
from notification_service.adapters.mongo.deliveries import MongoDeliveryLog
from notification_service.adapters.mongo.inbox import MongoInbox
from notification_service.adapters.mongo.inboxes import Inboxes
from notification_service.adapters.mongo.intake import MongoIntake
from notification_service.adapters.mongo.mails import MongoMails
from notification_service.adapters.mongo.people import MongoContacts, MongoPreferences
from notification_service.adapters.mongo.queue import MongoDeliveryQueue
from notification_service.adapters.mongo.schema import MIGRATIONS
from notification_service.adapters.mongo.watch import InboxWatch

SERVICE: Final = "notification"


@dataclass(frozen=True, slots=True)
class MongoStore:
    """Every storage port of the service on one database."""

    database: MongoDatabase
    intake: MongoIntake
    inbox: MongoInbox
    contacts: MongoContacts
    preferences: MongoPreferences
    log: MongoDeliveryLog
    queue: MongoDeliveryQueue
    mails: MongoMails
    dead_letters: MongoDeadLetters

    async def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreUnavailable: it gives none.
        """
        await self.database.check()


@contextlib.asynccontextmanager
async def opened(url: str, *, node: str) -> AsyncIterator[MongoStore]:
    """The store in the database at *url*, brought up to date; *node* is what this process is called there.

    Raises:
        CannotStart: the database cannot be used.
    """
    async with opened_database(url, SERVICE) as database:
        await migrate(database, MIGRATIONS)
        bells, presence = Bells(), Presence(database, node)
        # It lives until everybody who uses the store has ended: claims are held for as long.
        async with presence, Supervisor() as supervisor:
            store = _store_on(database, presence, bells)
            watch = InboxWatch(database, bells)
            _ = supervisor.start("notification-presence", presence.run(store.queue.somebody_left))
            _ = supervisor.start("notification-watch", watch.run())
            yield store


def _store_on(database: MongoDatabase, presence: Presence, bells: Bells) -> MongoStore:
    work, inboxes = EventBell(), Inboxes(database)
    return MongoStore(
        database=database,
        intake=MongoIntake(database, inboxes, bells, work),
        inbox=MongoInbox(database, bells),
        contacts=MongoContacts(database),
        preferences=MongoPreferences(database),
        log=MongoDeliveryLog(database),
        queue=MongoDeliveryQueue(database, presence, inboxes, work),
        mails=MongoMails(database, work),
        dead_letters=MongoDeadLetters(database),
    )
