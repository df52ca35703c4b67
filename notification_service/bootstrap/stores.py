"""The store that the operator chose."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from chassis.ids import Ids
from chassis.lifecycle import Supervisor
from notification_service.adapters.mongo import store as mongo
from notification_service.adapters.mongo.store import MongoStore
from notification_service.adapters.sqlite import store as sqlite
from notification_service.adapters.sqlite.store import SqliteStore
from notification_service.config import Settings

SERVICE: Final = "notification"
Store: TypeAlias = SqliteStore | MongoStore


@asynccontextmanager
async def opened(settings: Settings, ids: Ids) -> AsyncIterator[Store]:
    """The store, brought up to date.

    Raises:
        CannotStart: it cannot be used.
    """
    if settings.store_url is not None:
        async with mongo.opened(settings.store_url, node=ids.new()) as shared:
            yield shared
        return
    async with sqlite.opened(settings.store_dir / f"{SERVICE}.db") as own:
        yield own


def keep(store: Store, supervisor: Supervisor) -> None:
    """Watch a file for failure; a server comes back by itself."""
    match store:
        case SqliteStore():
            _ = supervisor.start("notification-store", store.database.failed())
        case MongoStore():
            pass
