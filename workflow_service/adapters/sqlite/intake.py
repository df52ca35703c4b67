"""The intake of events in SQLite, and who waits for them.

Both are written by the one writer, in the commits that they are part of: so a subscription and an event have an order,
which is that of their commits.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

import msgspec

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.bells import IntakeBell
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.event_ports import Arrived
from workflow_service.application.ports import InboundEvent
from workflow_service.application.projections.inbound import received

PATIENCE: Final = 5.0
"""Seconds after which the intake is looked at again although nobody has rung."""
BYTES: Final = 8 * 1024 * 1024
"""Of events that are read at once, unless a single one has more."""

_REMEMBER: Final = (
    "INSERT INTO inbound_events (tenant, source, id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_INSERT: Final = "INSERT INTO intake (tenant, at, event) VALUES (?, ?, ?)"
_END: Final = "SELECT seq FROM sqlite_sequence WHERE name = 'intake'"
_SELECT: Final = (
    "SELECT position, tenant, at, event FROM intake WHERE position > ? ORDER BY position LIMIT ?"
)
_SELECT_OF_TENANT: Final = (
    "SELECT position, tenant, at, event FROM intake INDEXED BY intake_of_tenant"
    " WHERE tenant = ? AND position > ? ORDER BY position LIMIT ?"
)
_OWNERS: Final = "SELECT position, tenant FROM intake WHERE position > ? ORDER BY position LIMIT ?"
_PLACE: Final = "SELECT position FROM intake_readers WHERE name = ?"
_SAVE: Final = "INSERT OR REPLACE INTO intake_readers (name, position) VALUES (?, ?)"
_DELETE: Final = "DELETE FROM intake WHERE position <= (SELECT MIN(position) FROM intake_readers)"
_FIRST: Final = "SELECT MIN(position) - 1 FROM intake"

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(InboundEvent)


Entry: TypeAlias = tuple[Row, bytes]
"""What ``put`` writes: by what an event is known, and the event."""


def entry_of(event: InboundEvent, at: datetime) -> Entry:
    """Return what is written of an event that came *at*."""
    return (event.tenant, event.source, event.id, micros(at)), _encoder.encode(event)


def put(db: sqlite3.Connection, entry: Entry) -> int | None:
    """Put an event into the intake and return its position; None when it has been there before."""
    known, event = entry
    if db.execute(_REMEMBER, known).rowcount == 0:
        return None
    return db.execute(_INSERT, (known[0], known[3], event)).lastrowid


def end_of(db: sqlite3.Connection) -> int:
    """Return the highest position that was ever taken."""
    found = db.execute(_END).fetchone()
    return 0 if found is None else int(found[0])


class SqliteIntake:
    """The ``Intake`` port on a ``SqliteDatabase``.

    Args:
        database: with the tables of ``schema.MIGRATIONS``.
        bell: rung when there is more.
    """

    def __init__(self, database: SqliteDatabase, *, bell: IntakeBell) -> None:
        self._database = database
        self._bell = bell

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        """Return events above the position *after*, perhaps of one tenant only."""
        statement: str = _SELECT
        values: Row = (after, limit)
        if tenant is not None:
            statement, values = _SELECT_OF_TENANT, (tenant, after, limit)

        def work(db: sqlite3.Connection) -> list[Row]:
            rows: list[Row] = []
            size = 0
            for row in db.execute(statement, values):
                rows.append(row)
                size += len(row[3])
                if size > BYTES:
                    break
            return rows

        return [_arrived(row) for row in await self._database.read(work)]

    async def end(self) -> int:
        """Return the highest position so far."""
        return await self._database.read(end_of)

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """Return position and tenant of the events above *after*."""
        return await self._database.read(lambda db: db.execute(_OWNERS, (after, limit)).fetchall())

    async def load_checkpoint(self, reader: str) -> int:
        """Return what *reader* saved last; from then on nothing beyond that is deleted."""

        def work(db: sqlite3.Connection) -> int:
            found = db.execute(_PLACE, (reader,)).fetchone()
            if found is None:
                first = db.execute(_FIRST).fetchone()[0]
                found = (end_of(db) if first is None else first,)
                db.execute(_SAVE, (reader, found[0]))
            return int(found[0])

        return await self._database.write(work)

    async def save_checkpoint(self, reader: str, position: int) -> None:
        """Remember *position*, and delete what all readers have passed."""

        def work(db: sqlite3.Connection) -> None:
            db.execute(_SAVE, (reader, position))
            db.execute(_DELETE)

        await self._database.write(work)

    async def wait(self, after: int) -> None:
        """Return when there may be more, or after a while."""
        rung = self._bell.next
        if await self._database.read(end_of) > after:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await rung.wait()
        except TimeoutError:
            return


def _arrived(row: Row) -> Arrived:
    position, tenant, at, event = row
    return Arrived(tenant, received(_decoder.decode(event), position, moment_of(at)))
