"""The stores of a suite and the steps that made them: what there is, what is missing, forwards and back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from auth_service.adapters.mongo.schema import MIGRATIONS as AUTH_MONGO
from auth_service.adapters.sqlite.schema import MIGRATIONS as AUTH
from chassis.backends import store_folder, store_url
from chassis.config import Environment
from chassis.errors import CannotStart
from chassis.storage import migrations as sqlite
from chassis.storage import mongo_migrations as mongo
from chassis.storage.mongo import opened
from notification_service.adapters.mongo.schema import MIGRATIONS as NOTIFICATION_MONGO
from notification_service.adapters.sqlite.schema import MIGRATIONS as NOTIFICATION
from workflow_service.adapters.mongo.schema import MIGRATIONS as WORKFLOW_MONGO
from workflow_service.adapters.sqlite.stores import MIGRATIONS as WORKFLOW

_FILES: Final[Mapping[str, Sequence[sqlite.Migration]]] = {
    "auth": AUTH,
    "workflow": WORKFLOW,
    "notification": NOTIFICATION,
}
_ON_MONGODB: Final[Mapping[str, Sequence[mongo.MongoMigration]]] = {
    "auth": AUTH_MONGO,
    "workflow": WORKFLOW_MONGO,
    "notification": NOTIFICATION_MONGO,
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one store."""

    version: int
    name: str
    applied_at: datetime | None
    """None: it is missing."""


class Store(Protocol):
    """What one service keeps."""

    @property
    def service(self) -> str:
        """Whose it is."""
        ...

    @property
    def place(self) -> str:
        """Where it is, for people."""
        ...

    async def steps(self) -> Sequence[Step]:
        """Return all steps in order.

        Raises:
            CannotStart: the store has others: newer code wrote it, or it cannot be read.
        """
        ...

    async def up(self) -> None:
        """Apply what is missing.

        Raises:
            CannotStart: it cannot be written, or newer code wrote it.
        """
        ...

    async def down(self, to: int) -> None:
        """Take back every step above *to*, with what is in its tables.

        Raises:
            CannotStart: it cannot be written.
        """
        ...


def stores_of(env: Environment) -> list[Store]:
    """Return the stores that the settings name.

    Raises:
        SettingsInvalid: they cannot be used.
    """
    folder = store_folder(env, env.path("AUTOWORKER_DATA_DIR", Path("data")))
    url = store_url(env)
    env.check()
    found: list[Store] = []
    for service, migrations in _FILES.items():
        if url is not None:
            found.append(MongoStore(service, url, _ON_MONGODB[service]))
        else:
            found.append(SqliteStore(service, folder / f"{service}.db", migrations))
    return found


@dataclass(frozen=True, slots=True)
class SqliteStore:
    """A file."""

    service: str
    path: Path
    migrations: Sequence[sqlite.Migration]

    @property
    def place(self) -> str:
        """Its path."""
        return str(self.path)

    async def steps(self) -> Sequence[Step]:
        """See the port; a file that is not there is not made."""
        applied: dict[int, datetime] = {}
        if self.path.exists():
            with self._connected() as connection:
                applied = sqlite.applied_at(connection)
        return _steps_of([(each.version, each.name) for each in self.migrations], applied)

    async def up(self) -> None:
        """See the port."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._connected() as connection:
            sqlite.migrate(connection, self.migrations)

    async def down(self, to: int) -> None:
        """See the port."""
        if self.path.exists():
            with self._connected() as connection:
                sqlite.revert(connection, self.migrations, to_version=to)

    def _connected(self) -> closing[sqlite3.Connection]:
        try:
            return closing(sqlite3.connect(self.path, isolation_level=None, timeout=5.0))
        except sqlite3.Error as exc:
            raise CannotStart(f"cannot open {self.path}: {exc}") from exc


@dataclass(frozen=True, slots=True)
class MongoStore:
    """A database on a server."""

    service: str
    url: str
    migrations: Sequence[mongo.MongoMigration]

    @property
    def place(self) -> str:
        """The kind of server: the URL may have a password."""
        return "MongoDB"

    async def steps(self) -> Sequence[Step]:
        """See the port."""
        async with opened(self.url, self.service) as database:
            applied = await mongo.applied_at(database)
        return _steps_of([(each.version, each.name) for each in self.migrations], applied)

    async def up(self) -> None:
        """See the port."""
        async with opened(self.url, self.service) as database:
            await mongo.migrate(database, self.migrations)

    async def down(self, to: int) -> None:
        """See the port."""
        async with opened(self.url, self.service) as database:
            await mongo.revert(database, self.migrations, to_version=to)


def _steps_of(known: Sequence[tuple[int, str]], applied: Mapping[int, datetime]) -> Sequence[Step]:
    unknown = applied.keys() - {version for version, _ in known}
    if unknown:
        raise CannotStart(sqlite.newer_store(max(unknown)))
    return [Step(version, name, applied.get(version)) for version, name in known]
