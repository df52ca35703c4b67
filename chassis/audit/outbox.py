"""What a service tells the audit trail, kept in its own store until the trail has it."""

import asyncio
import contextlib
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from chassis.audit.entry import AuditEntry, encoded
from chassis.errors import ServiceError
from chassis.storage.companions import Transaction, on_sqlite
from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from chassis.telemetry.logging import get_logger

_UP: Final = """
CREATE TABLE audit_outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    entry BLOB NOT NULL
) STRICT
"""
_PUT: Final = "INSERT INTO audit_outbox (entry) VALUES (?)"
AT_ONCE: Final = 500
"""Entries that are brought together."""
POLL: Final = 0.25
"""Seconds after which it is looked for what came along with a change."""
PAUSE: Final = 1.0
"""Seconds until what could not be brought is tried again."""

Send = Callable[[Sequence[bytes]], Awaitable[None]]
"""Brings entries, each `encoded`, to the trail; may raise a ServiceError."""

_log = get_logger("chassis.audit")


def outbox_migration(version: int) -> Migration:
    """The step that makes the table, numbered as the service numbers its steps."""
    return Migration(version, "audit outbox", _UP, "DROP TABLE audit_outbox")


class AuditOutbox(ABC):
    """A `chassis.audit.recorder.Sink` in the store of a service."""

    def __init__(self) -> None:
        self._some = asyncio.Event()

    @abstractmethod
    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """See `Sink.keep`; the trail keeps each once, so it may be here twice."""

    @abstractmethod
    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """See `Sink.keep_within`."""

    async def ship(self, send: Send) -> None:
        """Bring what is here to the trail with *send*, for ever, and forget what has arrived."""
        while True:
            try:
                brought = await self._round(send)
            except ServiceError as exc:
                _log.info("audit_not_brought", reason=exc.message)
                await asyncio.sleep(PAUSE)
                continue
            if brought < AT_ONCE:
                self._some.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL):
                        await self._some.wait()

    @abstractmethod
    async def _round(self, send: Send) -> int:
        """Bring some, forget them, and return how many that were."""


class SqliteAuditOutbox(AuditOutbox):
    """In a table beside what the service keeps."""

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__()
        self._database = database

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """See `Sink.keep`."""
        rows = [(encoded(entry),) for entry in entries]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_PUT, rows)

        await self._database.write(work)
        self._some.set()

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """See `Sink.keep_within`."""
        on_sqlite(transaction).execute(_PUT, (encoded(entry),))

    async def _round(self, send: Send) -> int:
        rows = await self._database.glance(
            lambda connection: connection.execute(
                "SELECT position, entry FROM audit_outbox ORDER BY position LIMIT ?", (AT_ONCE,)
            ).fetchall()
        )
        if rows:
            await send([entry for _, entry in rows])
            await self._database.write(
                lambda connection: connection.execute(
                    "DELETE FROM audit_outbox WHERE position <= ?", (rows[-1][0],)
                )
            )
        return len(rows)


class DirectSink:
    """A sink without a store: what is told goes to the trail itself.

    Args:
        send: brings it there.
    """

    def __init__(self, send: Send) -> None:
        self._send = send

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """See `Sink.keep`."""
        for start in range(0, len(entries), AT_ONCE):
            await self._send([encoded(entry) for entry in entries[start : start + AT_ONCE]])

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """There is no store that something could be kept in."""
        raise RuntimeError("there is no store to keep it in")
