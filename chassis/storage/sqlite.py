"""SQLite as a store for asyncio: durable, and fast because writers share commits."""

import asyncio
import os
import queue
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from chassis.errors import CannotStart
from chassis.storage.companions import accompanied
from chassis.storage.jobs import Job, StoreUnavailable, translated
from chassis.storage.migrations import Migration, migrate
from chassis.storage.threads import Connect, Jobs, Reader
from chassis.storage.writing import Writer

__all__ = ["Migration", "SqliteDatabase", "StoreUnavailable"]

T = TypeVar("T")

WRITE_LIMIT = 10_000
READ_LIMIT = 10_000
"""How many works may wait before further ones are refused."""
BATCH = 500
"""How many works share one commit at the most."""

# FULL makes each commit durable against loss of power in WAL mode, which NORMAL does not
# (https://sqlite.org/pragma.html#pragma_synchronous).
_PRAGMAS = (
    "PRAGMA auto_vacuum=INCREMENTAL",  # before everything: later it would take a VACUUM
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-16000",
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
)


class SqliteDatabase:
    """One SQLite database with one writer thread and a few reader threads.

    Works are plain functions of a connection. They run in a thread, inside a transaction that is
    not theirs to end, and may be run beside works of others: they should be short and must not touch
    the event loop's objects. Those that are a `SharedWork` may run on the event loop.
    """

    def __init__(self, writer: Writer, readers: Sequence[Reader], loop: Any) -> None:
        self._loop: asyncio.AbstractEventLoop = loop
        self._writer = writer
        self._readers = tuple(readers)
        self._glances: sqlite3.Connection | None = None
        self._closed = False
        self._broken: asyncio.Future[StoreUnavailable] = loop.create_future()

    @classmethod
    async def open(
        cls,
        path: Path | None,
        *,
        migrations: Sequence[Migration],
        readers: int = 2,
        name: str | None = None,
        write_limit: int = WRITE_LIMIT,
    ) -> Self:
        """Open, or make, the database at *path* and bring its tables up to date.

        Args:
            path: its file; None makes a private one in memory that ends with `close`.
            migrations: see `chassis.storage.migrations.migrate`.
            readers: how many reads may run at the same time. In memory, reads go to the writer.
            name: what metrics call the store; the file's name without its suffix by default.
            write_limit: how many writes may wait before further ones are refused.

        Raises:
            CannotStart: the file cannot be used.
        """
        loop = asyncio.get_running_loop()
        store = name or (path.stem if path else "memory")
        jobs: Jobs = queue.SimpleQueue()
        threads = [
            Reader(loop, store, _connecting(path, query_only=True), jobs, READ_LIMIT)
            for _ in range(readers if path else 0)
        ]
        database: Self
        writer = Writer(
            loop,
            store,
            _preparing(path, migrations),
            limit=write_limit,
            batch=BATCH,
            on_broken=lambda error: database._break(error),
        )
        database = cls(writer, threads, loop)
        try:
            for thread in (writer, *threads):
                await thread.start()
            if path is not None:
                database._glances = _connecting(path, query_only=True)()
        except sqlite3.Error as exc:
            await database.close()
            raise CannotStart(f"cannot open the store {path or 'in memory'}: {exc}") from exc
        except BaseException:
            await database.close()
            raise
        return database

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work* and return its result once it is safely on the disk.

        Works run one after the other, in the order of these calls. An exception of *work* undoes
        what it did, and nothing else, and is raised here. It may be undone and done again because a
        neighbour failed, so it keeps nothing between its runs. Cancelling the caller does not stop a work
        that was accepted.

        Raises:
            StoreUnavailable: too much is waiting, the disk is full or broken, or it is closed.
        """
        return await self._run(self._writer.put, accompanied(work))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work*, which may only read, on one snapshot of what is committed.

        Raises:
            StoreUnavailable: too much is waiting, the disk is broken, or it is closed.
        """
        if self._readers:
            return await self._run(self._readers[0].put, work)
        return await self._run(self._writer.put, _only_reading(work))

    async def glance(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do *work*, one statement that finds a few small rows by their key, at once, on the event loop.

        It takes microseconds, where a thread would first have to win the interpreter's lock.

        Raises:
            StoreUnavailable: the disk is broken, or it is closed.
        """
        if self._glances is None:
            return await self.read(work)
        try:
            return work(self._glances)
        except sqlite3.Error as exc:
            raise translated(exc) from exc

    async def failed(self) -> None:
        """Wait until the disk fails, if ever: supervised, it stops a service that cannot write.

        Raises:
            StoreUnavailable: reading or writing the disk failed; the store refuses writes since.
        """
        raise await asyncio.shield(self._broken)

    async def close(self) -> None:
        """Finish what was accepted and let go of the file. Calling it again changes nothing."""
        self._closed = True
        if self._glances is not None:
            self._glances.close()
            self._glances = None  # from here on whoever reads is refused
        await asyncio.gather(*(reader.stop() for reader in self._readers))
        # Last, since the connection that closes last folds the log into the database.
        await self._writer.stop()

    async def _run(self, put: Callable[[Job], None], work: Callable[[sqlite3.Connection], T]) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        put(Job(work, future))
        return await future

    def _break(self, error: StoreUnavailable) -> None:
        if not self._broken.done():
            self._broken.set_result(error)


def _preparing(path: Path | None, migrations: Sequence[Migration]) -> Connect:
    connect = _connecting(path, query_only=False)

    def prepare() -> sqlite3.Connection:
        if path is not None:
            create_file(path)
        connection = connect()
        try:
            _make_shrinkable(connection)
            migrate(connection, migrations)
            # From here on the writer itself waits for others, and only where that stops nobody.
            connection.execute("PRAGMA busy_timeout=0")
        except BaseException:
            connection.close()
            raise
        return connection

    return prepare


def _make_shrinkable(connection: sqlite3.Connection) -> None:
    """Let a file that was made without it give back what it no longer needs; rewrites the file, once."""
    if connection.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")


_INCREMENTAL = 2


def create_file(path: Path) -> None:
    """Make the file readable by its owner only, if it is not there; SQLite gives its log the same mode.

    Raises:
        CannotStart: it cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as exc:
        raise CannotStart(f"cannot open the store {path}: {exc.strerror}") from exc


def _connecting(path: Path | None, *, query_only: bool) -> Connect:
    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            path or ":memory:",
            isolation_level=None,  # transactions are ours, not the module's
            cached_statements=512,
            check_same_thread=False,  # the writer's is used by the loop and its thread, in turns
            timeout=5.0,
        )
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            if query_only:
                connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    return connect


def _only_reading(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    def read(connection: sqlite3.Connection) -> T:
        connection.execute("PRAGMA query_only=ON")
        try:
            return work(connection)
        finally:
            connection.execute("PRAGMA query_only=OFF")

    return read
