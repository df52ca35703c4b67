"""The store that the operator chose, and what depends on whether it is a file or a database that processes share."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from auth_service.adapters.mongo.mail_outbox import LedMails
from auth_service.adapters.mongo.stores import MongoStores, mongo_stores
from auth_service.adapters.sqlite.stores import SqliteStores, sqlite_stores
from auth_service.application.ports.mail import MailOutbox
from auth_service.config import Settings
from chassis.audit.footprints import Footprints, SqliteFootprints
from chassis.audit.mongo_footprints import MongoFootprints
from chassis.audit.recorder import Recorder
from chassis.crypto.key_file import WrappingKeys
from chassis.errors import CannotStart
from chassis.ids import Ids
from chassis.lifecycle import Supervisor
from chassis.messaging.leading import LedLog
from chassis.messaging.relay import EventLog

FILE: Final = "auth.db"
Stores: TypeAlias = SqliteStores | MongoStores


@asynccontextmanager
async def opened(settings: Settings, keys: WrappingKeys, ids: Ids) -> AsyncIterator[Stores]:
    """The stores, brought up to date; *keys* are the operator's, *ids* names this process.

    Raises:
        chassis.errors.CannotStart: they cannot be used, or the keys are not those they were made with.
    """
    if settings.store_url is not None:
        async with mongo_stores(settings.store_url, keys, node=ids.new()) as shared:
            await _miss_nobody(shared, settings.store_dir / FILE)
            yield shared
        return
    async with sqlite_stores(settings.store_dir / FILE, keys) as own:
        yield own


async def _miss_nobody(stores: MongoStores, file: Path) -> None:
    """Refuse a database without accounts where there is a file that may have some: that looks as if all were gone."""
    if await asyncio.to_thread(file.exists) and await stores.users.nobody():
        raise CannotStart(
            f"AUTOWORKER_STORE_URL names a MongoDB that has no accounts, while there is {file}: "
            "copy them (autoworker store copy), or move that file away"
        )


def keep(stores: Stores, supervisor: Supervisor) -> None:
    """Watch a file for failure; a server comes back by itself."""
    match stores:
        case SqliteStores():
            _ = supervisor.start("auth-store", stores.database.failed())
        case MongoStores():
            pass


def footprints_in(stores: Stores, ids: Ids) -> Footprints:
    """Where calls leave what they have changed before it is told."""
    match stores:
        case SqliteStores():
            return SqliteFootprints(stores.database, ids)
        case MongoStores():
            return MongoFootprints(stores.database, ids)


def rounds(stores: Stores, told: Recorder, ids: Ids) -> Sequence[Callable[[], Awaitable[None]]]:
    """What the housekeeper does besides: telling of what processes that are dead left untold.

    In a file that is done at the start, since there was only one process.
    """
    match stores:
        case SqliteStores():
            return ()
        case MongoStores():
            return (partial(footprints_in(stores, ids).report, told),)


def relayed_log(stores: Stores) -> EventLog:
    """The outbox of which this process publishes the events, or nothing while another one does."""
    match stores:
        case SqliteStores():
            return stores.log
        case MongoStores():
            return LedLog(stores.log, stores.leads("relay"))


def relayed_mails(stores: Stores) -> MailOutbox:
    """The outbox of which this process passes on the mails, or nothing while another one does."""
    match stores:
        case SqliteStores():
            return stores.mails
        case MongoStores():
            return LedMails(stores.mails, stores.leads("mail"))
