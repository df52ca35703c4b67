"""Every store of the notification service: a name, and how to open it a second time."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chassis.ids import RandomIds
from notification_service.adapters.mongo import store as mongo
from notification_service.adapters.sqlite.store import opened
from notification_service.application.dead_letter_ports import DeadLetters
from notification_service.application.mail_ports import Mails
from notification_service.application.ports import (
    Contacts,
    DeliveryLog,
    DeliveryQueue,
    Inbox,
    Intake,
    PreferenceStore,
)
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.unit.notification_service.fakes import MemoryStore, Tables


class Store(Protocol):
    """All storage ports together."""

    @property
    def intake(self) -> Intake:
        """Where events take effect."""

    @property
    def inbox(self) -> Inbox:
        """Everybody's notifications."""

    @property
    def contacts(self) -> Contacts:
        """How people can be reached."""

    @property
    def preferences(self) -> PreferenceStore:
        """What people want to hear."""

    @property
    def log(self) -> DeliveryLog:
        """Every attempt to deliver."""

    @property
    def mails(self) -> Mails:
        """Mails about accounts, until they are sent."""

    @property
    def dead_letters(self) -> DeadLetters:
        """What was given up."""

    @property
    def queue(self) -> DeliveryQueue:
        """Deliveries still to be made."""


Opener = Callable[[], AbstractAsyncContextManager[Store]]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A kind of store; *durable*: what is in it is there again when it is opened again."""

    opener: Callable[[Path], Opener]
    durable: bool


def _fake(_: Path) -> Opener:
    tables = Tables()

    @contextlib.asynccontextmanager
    async def open_() -> AsyncIterator[Store]:
        yield MemoryStore(tables)

    return open_


def process(path: Path) -> AbstractAsyncContextManager[mongo.MongoStore]:
    """The shared store of a folder, as one more process has it."""
    return mongo.opened(database_url(mongo_url(), path), node=RandomIds().new())


STORES = {
    "fake": Adapter(_fake, durable=True),
    "sqlite-memory": Adapter(lambda _: lambda: opened(None), durable=False),
    "sqlite-file": Adapter(lambda path: lambda: opened(path / "notification.db"), durable=True),
    "mongodb": Adapter(lambda path: lambda: process(path), durable=True),
}
