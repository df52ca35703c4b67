"""Where stores are: a folder of files, or a server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from autoworker import data_dir
from autoworker.copying.services import DATABASES, FILES, OnServer
from chassis.backends import store_folder, store_url
from chassis.config import Environment
from chassis.errors import CannotStart
from chassis.storage import mongo_migrations
from chassis.storage.copying import tables
from chassis.storage.copying.documents import DocumentStore
from chassis.storage.copying.records import Store
from chassis.storage.migrations import newer_store
from chassis.storage.mongo import MongoDatabase, opened
from chassis.storage.mongo_presence import working

SETTINGS: Final = "settings"
_URL: Final = "AUTOWORKER_STORE_URL"


class Place(Protocol):
    """Where the stores of services are."""

    @property
    def name(self) -> str:
        """Where, for people and for notes; without a password."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """Keep other suites away for as long as the block lasts, where that can be done from here."""
        ...

    def store(self, service: str, *, target: bool) -> AbstractAsyncContextManager[OpenStore | None]:
        """The store of *service*; None when it has none here, unless it is a *target*, which is made.

        Raises:
            CannotStart: a service works on it, or it is of another version.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store, and who else may have it: a file is ours alone as it is."""

    records: Store
    database: MongoDatabase | None = None

    async def refuse_company(self) -> None:
        """See that no service works on it.

        Raises:
            CannotStart: one does.
        """
        if self.database is not None and (nodes := await working(self.database)):
            raise CannotStart(
                f"{self.records.service} still runs on its database ({len(nodes)} process(es)): stop"
                " it first"
            )

    async def settle(self) -> None:
        """Finish what a process began there that is dead."""
        if self.database is not None:
            await DATABASES[self.records.service].settle(self.database)


def place_of(text: str, env: Environment) -> Place:
    """What *text* names: a data directory, a URL as in the settings, or `settings` for the one that is there.

    Raises:
        SettingsInvalid: nothing.
    """
    if text != SETTINGS and "://" not in text:
        return Files(Path(text).resolve())
    chosen = env if text == SETTINGS else Environment({_URL: text})
    url = store_url(chosen)
    folder = store_folder(chosen, env.path("AUTOWORKER_DATA_DIR", Path("data")))
    chosen.check()
    return Files(folder.resolve()) if url is None else Server(url)


@dataclass(frozen=True, slots=True)
class Files:
    """A file for each service in one folder."""

    folder: Path

    @property
    def name(self) -> str:
        """See the port."""
        return f"sqlite:///{self.folder}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """See the port."""
        if not self.folder.is_dir():
            yield
            return
        with data_dir.held(self.folder):
            yield

    @asynccontextmanager
    async def store(self, service: str, *, target: bool) -> AsyncIterator[OpenStore | None]:
        """See the port."""
        path, made = self.folder / f"{service}.db", FILES[service]
        if not target and not path.exists():
            yield None
            return
        with tables.opened(path, made.migrations, target=target) as db:
            yield OpenStore(tables.TableStore(service, db, made.shelves, made.migrations))


@dataclass(frozen=True, slots=True)
class Server:
    """A database for each service."""

    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """See the port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """See the port: nothing here keeps anybody from a server."""
        yield

    @asynccontextmanager
    async def store(self, service: str, *, target: bool) -> AsyncIterator[OpenStore | None]:
        """See the port."""
        made = DATABASES[service]
        async with opened(self.url, service) as database:
            if target:
                await mongo_migrations.migrate(database, made.migrations, half=True)
            elif not await _is_there(database, service, made):
                yield None
                return
            store = DocumentStore(service, database, made.shelves, made.migrations)
            yield OpenStore(store, database)


async def _is_there(database: MongoDatabase, service: str, made: OnServer) -> bool:
    applied = set(await mongo_migrations.applied_at(database))
    known = {each.version for each in made.migrations}
    if applied - known:
        raise CannotStart(newer_store(max(applied - known)))
    if applied and known - applied:
        raise CannotStart(
            f"the database of {service} was made by an older version of this program:"
            " `autoworker migrate up` first"
        )
    return bool(applied)
