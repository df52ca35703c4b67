"""Deletes from SQLite what has had its time, in pieces so small that nobody else waits for long."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import decode_json, forms_of, micros
from workflow_service.adapters.sqlite.event_log import SqliteEventLog
from workflow_service.adapters.sqlite.payloads import drop_uses

# Only what the relay has passed: an event that nobody has heard of yet is not old.
_ENDED: Final = """
SELECT e.execution, e.tenant, c.tags
FROM executions e JOIN contents c ON c.execution = e.execution
WHERE e.ended_at < ? AND (
    SELECT position FROM commits WHERE execution = e.execution ORDER BY last_sequence DESC LIMIT 1
) <= ?
ORDER BY e.ended_at LIMIT ?
"""
_HIDE: Final = (
    "DELETE FROM executions WHERE execution = ?",
    "DELETE FROM contents WHERE execution = ?",
    "DELETE FROM snapshots WHERE execution = ?",
    "INSERT INTO forgotten (execution) VALUES (?)",
)
_UNTAG: Final = "DELETE FROM execution_tags WHERE tenant = ? AND tag = ? AND execution = ?"
_PURGE: Final = (
    "DELETE FROM commits WHERE position IN"
    " (SELECT position FROM commits WHERE execution = ? LIMIT ?)"
)
_DROP_KEYS: Final = (
    "DELETE FROM idempotency_keys WHERE (tenant, owner, key) IN"
    " (SELECT tenant, owner, key FROM idempotency_keys WHERE expires_at <= ?"
    " ORDER BY expires_at LIMIT ?)"
)
_DROP_INBOUND: Final = (
    "DELETE FROM commits WHERE position IN (SELECT position FROM commits"
    " WHERE execution IS NULL AND at < ? AND position <= ? ORDER BY at LIMIT ?)"
)
# What no reader is waiting for; without readers, all of it.
_DROP_INTAKE: Final = (
    "DELETE FROM intake WHERE position IN (SELECT position FROM intake WHERE at < ?"
    " AND position <= COALESCE((SELECT MIN(position) FROM intake_readers), position)"
    " ORDER BY position LIMIT ?)"
)
_DROP_SEEN: Final = (
    "DELETE FROM inbound_events WHERE (tenant, source, id) IN"
    " (SELECT tenant, source, id FROM inbound_events WHERE at < ? ORDER BY at LIMIT ?)"
)


class SqliteRetention:
    """The ``Retention`` port on a ``SqliteDatabase``.

    Args:
        database: with the tables of ``schema.MIGRATIONS``.
        log: knows how far the relay has come.
    """

    def __init__(self, database: SqliteDatabase, log: SqliteEventLog) -> None:
        self._database = database
        self._log = log

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Make executions unfindable that ended before *before*."""
        passed = self._log.passed

        def work(db: sqlite3.Connection) -> int:
            rows = db.execute(_ENDED, (micros(before), _relayed(db, passed), limit)).fetchall()
            for execution, tenant, tags in rows:
                for statement in _HIDE:
                    db.execute(statement, (execution,))
                for tag in forms_of(None if tags is None else decode_json(tags)):
                    db.execute(_UNTAG, (tenant, tag, execution))
            return len(rows)

        return await self._database.write(work)

    async def purge(self, limit: int) -> int:
        """Delete up to *limit* commits and large values of what was forgotten."""

        def work(db: sqlite3.Connection) -> int:
            deleted = 0
            for (execution,) in db.execute("SELECT execution FROM forgotten LIMIT 100").fetchall():
                left = limit - deleted
                found = db.execute(_PURGE, (execution, left)).rowcount
                deleted += found
                if found >= left:
                    return deleted
                left = limit - deleted
                uses = drop_uses(db, execution, left)
                deleted += uses
                if uses >= left:
                    return deleted
                db.execute("DELETE FROM forgotten WHERE execution = ?", (execution,))
            return deleted

        return await self._database.write(work)

    async def drop_keys(self, now: datetime, limit: int) -> int:
        """Delete idempotency keys that have expired."""
        return await self._deleted(_DROP_KEYS, micros(now), limit)

    async def drop_inbound(self, before: datetime, limit: int) -> int:
        """Delete events from outside that came before *before*, and the memory of them."""
        passed, bound = self._log.passed, micros(before)

        def work(db: sqlite3.Connection) -> int:
            events = db.execute(_DROP_INBOUND, (bound, _relayed(db, passed), limit)).rowcount
            events += db.execute(_DROP_INTAKE, (bound, limit)).rowcount
            return events + db.execute(_DROP_SEEN, (bound, limit)).rowcount

        return await self._database.write(work)

    async def compact(self, pages: int) -> int:
        """Give up to so many unused pages back to the file system."""

        def work(db: sqlite3.Connection) -> int:
            before = _unused(db)
            for _ in range(min(before, pages)):
                # One at a time: the driver takes the pragma's first step only.
                db.execute("PRAGMA incremental_vacuum(1)")
            return before - _unused(db)

        return await self._database.write(work)

    async def _deleted(self, statement: str, bound: int, limit: int) -> int:
        return await self._database.write(
            lambda db: int(db.execute(statement, (bound, limit)).rowcount)
        )


def _relayed(db: sqlite3.Connection, passed: tuple[int, int]) -> int:
    """Return the position up to which every event was published, or is wanted by nobody."""
    checkpoint = db.execute("SELECT MIN(position) FROM checkpoints").fetchone()[0] or 0
    after, unwanted_to = passed
    return max(checkpoint, unwanted_to) if after <= checkpoint else checkpoint


def _unused(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA freelist_count").fetchone()[0])
