"""Every store of the notification service: a name, and how to open it a second time."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from notification_service.adapters.sqlite.store import opened
from notification_service.application.ports import (
    Contacts,
    DeliveryLog,
    DeliveryQueue,
    Inbox,
    Intake,
    PreferenceStore,
)
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


STORES = {
    "fake": Adapter(_fake, durable=True),
    "sqlite-memory": Adapter(lambda _: lambda: opened(None), durable=False),
    "sqlite-file": Adapter(lambda path: lambda: opened(path / "notification.db"), durable=True),
}
