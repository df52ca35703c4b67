"""The store that the operator chose."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from chassis.lifecycle import Supervisor
from chassis.messaging.memory import MemoryBus
from workflow_service.adapters.mongo import stores as mongo
from workflow_service.adapters.mongo.stores import MongoStores
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.adapters.sqlite import stores as sqlite
from workflow_service.adapters.sqlite.lock import sole_owner
from workflow_service.adapters.sqlite.stores import SqliteStores
from workflow_service.adapters.work_queues import WorkQueues
from workflow_service.bootstrap.nudges import shared_bells
from workflow_service.bootstrap.outside import SERVICE, Outside
from workflow_service.config import Settings
from workflow_service.entrypoints.event_relay import listeners

Stores: TypeAlias = SqliteStores | MongoStores


@asynccontextmanager
async def opened(settings: Settings, outside: Outside) -> AsyncIterator[Stores]:
    """The store, brought up to date.

    Raises:
        CannotStart: it cannot be used.
    """
    node, wanted = outside.ids.new(), listeners(outside.bus)
    codec = PayloadCodec(settings.payload_bytes)
    if settings.store_url is not None:
        shared = mongo.opened(
            settings.store_url,
            node=node,
            clock=outside.steady,
            wanted=wanted,
            codec=codec,
            bells=shared_bells(outside.bus),
        )
        async with shared as stores:
            yield stores
        return
    path = settings.store_dir / f"{SERVICE}.db"
    with sole_owner(path):
        own = sqlite.opened(path, node=node, clock=outside.steady, wanted=wanted, codec=codec)
        async with own as found:
            yield found


def keep(stores: Stores, supervisor: Supervisor, take_up: Callable[[], Awaitable[None]]) -> None:
    """Watch a file for failure; a shared store for other processes that die, whose work *take_up* goes on with."""
    match stores:
        case SqliteStores():
            _ = supervisor.start("workflow-store", stores.database.failed())
        case MongoStores():
            _ = supervisor.start("workflow-presence", stores.presence.run(take_up))


def work_queues(stores: Stores, outside: Outside) -> WorkQueues | None:
    """Return by what processes share executions; None for one that shares nothing with others."""
    if isinstance(stores, SqliteStores) or isinstance(outside.bus, MemoryBus):
        return None
    return WorkQueues(outside.bus, outside.clock, lambda: stores.presence.alive)
