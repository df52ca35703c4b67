"""Schedules in SQLite: a small row each, rewritten with every tick."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import maybe_micros, maybe_moment, micros
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.schedule_ports import (
    KeptSchedule,
    ScheduleKey,
    ScheduleRecord,
)
from workflow_service.domain.schedules.model import On

_UP = """
CREATE TABLE schedules (
    tenant TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    due_at INTEGER,
    record BLOB NOT NULL,
    PRIMARY KEY (tenant, namespace, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (due_at) WHERE due_at IS NOT NULL;
"""

_EVENTS_UP = """
ALTER TABLE schedules ADD COLUMN listens INTEGER NOT NULL DEFAULT 0;
CREATE INDEX schedules_listening ON schedules (tenant, namespace, name) WHERE listens = 1;
"""
_EVENTS_DOWN = """
DROP INDEX schedules_listening;
ALTER TABLE schedules DROP COLUMN listens;
"""

MIGRATIONS = (
    Migration(26, "schedules", _UP, "DROP TABLE schedules;"),
    Migration(27, "schedules of events", _EVENTS_UP, _EVENTS_DOWN),
)
"""Those of schedules: numbers 26 to 29."""

_KEY: Final = "tenant = ? AND namespace = ? AND name = ?"
_GET: Final = f"SELECT record, revision FROM schedules WHERE {_KEY}"  # noqa: S608 - constants
_ADD: Final = (
    "INSERT INTO schedules (tenant, namespace, name, revision, due_at, listens, record)"
    " VALUES (?, ?, ?, 1, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_CHANGE: Final = (
    f"UPDATE schedules SET revision = revision + 1, due_at = ?, listens = ?, record = ? WHERE {_KEY}"  # noqa: S608
    " AND revision = ?"
)
_REMOVE: Final = f"DELETE FROM schedules WHERE {_KEY} AND revision = ?"  # noqa: S608 - constants
_LIST: Final = (
    "SELECT record FROM schedules WHERE tenant = ? AND (namespace, name) > (?, ?)"
    " ORDER BY namespace, name LIMIT ?"
)
_COUNT: Final = "SELECT COUNT(*) FROM (SELECT 1 FROM schedules WHERE tenant = ? LIMIT ?)"
_DUE: Final = "SELECT record, revision FROM schedules WHERE due_at <= ? ORDER BY due_at LIMIT ?"
_NEXT: Final = "SELECT MIN(due_at) FROM schedules WHERE due_at IS NOT NULL"
_ALL: Final = (
    "SELECT record, revision FROM schedules WHERE (tenant, namespace, name) > (?, ?, ?)"
    " ORDER BY tenant, namespace, name LIMIT ?"
)
_LISTENING: Final = (
    "SELECT record, revision FROM schedules"
    " WHERE listens = 1 AND tenant = ? AND (namespace, name) > (?, ?)"
    " ORDER BY namespace, name LIMIT ?"
)
_encode = msgspec.json.Encoder().encode
_records = msgspec.json.Decoder(ScheduleRecord)


class SqliteSchedules:
    """The ``Schedules`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def get(self, key: ScheduleKey) -> KeptSchedule | None:
        """Return one."""
        found = await self._kept(_GET, tuple(key))
        return found[0] if found else None

    async def put(self, record: ScheduleRecord, revision: int) -> bool:
        """See the port."""
        listens = int(isinstance(record.schedule.trigger, On))
        row = (maybe_micros(record.due_at), listens, _encode(record))
        if revision == 0:
            return await self._changed(_ADD, (*record.key, *row))
        return await self._changed(_CHANGE, (*row, *record.key, revision))

    async def remove(self, key: ScheduleKey, revision: int) -> bool:
        """See the port."""
        return await self._changed(_REMOVE, (*key, revision))

    async def list(
        self, tenant: str, after: tuple[str, str], limit: int
    ) -> Sequence[ScheduleRecord]:
        """See the port."""
        values = (tenant, *after, limit)

        def work(db: sqlite3.Connection) -> Sequence[ScheduleRecord]:
            return [_records.decode(row[0]) for row in db.execute(_LIST, values)]

        return await self._database.read(work)

    async def count(self, tenant: str, limit: int) -> int:
        """See the port."""

        def work(db: sqlite3.Connection) -> int:
            return int(db.execute(_COUNT, (tenant, limit)).fetchone()[0])

        return await self._database.read(work)

    async def due(self, now: datetime, limit: int) -> Sequence[KeptSchedule]:
        """See the port."""
        return await self._kept(_DUE, (micros(now), limit))

    async def next_due(self) -> datetime | None:
        """See the port."""
        return await self._database.read(lambda db: maybe_moment(db.execute(_NEXT).fetchone()[0]))

    async def listening(
        self, tenant: str, after: tuple[str, str], limit: int
    ) -> Sequence[KeptSchedule]:
        """See the port."""
        return await self._kept(_LISTENING, (tenant, *after, limit))

    async def everybodys(self, after: ScheduleKey, limit: int) -> Sequence[KeptSchedule]:
        """See the port."""
        return await self._kept(_ALL, (*after, limit))

    async def _kept(self, statement: str, values: Row) -> Sequence[KeptSchedule]:
        def work(db: sqlite3.Connection) -> Sequence[KeptSchedule]:
            rows = db.execute(statement, values)
            return [KeptSchedule(_records.decode(record), revision) for record, revision in rows]

        return await self._database.read(work)

    async def _changed(self, statement: str, values: Row) -> bool:
        return await self._database.write(lambda db: db.execute(statement, values).rowcount == 1)
