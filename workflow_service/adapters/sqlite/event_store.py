"""Histories in SQLite: one row per commit, one small row per execution that guards its sequence and epoch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from chassis.clock import Clock
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.event_codec import STATE_VERSION, decode_events, decode_slice
from workflow_service.adapters.sqlite.bell import LogBell
from workflow_service.adapters.sqlite.commits import key_of, writing_of
from workflow_service.adapters.sqlite.rows import (
    SUMMARY_COLUMNS,
    Row,
    maybe_moment,
    micros,
    moment_of,
    summary_of,
)
from workflow_service.adapters.sqlite.turns import due, left_by_others
from workflow_service.application.ports import Commit, Head, OpenExecution, Recorded, Stored

_SELECT_HEAD: Final = f"""
SELECT {SUMMARY_COLUMNS}, e.sequence, e.epoch
FROM executions e JOIN contents c ON c.execution = e.execution WHERE e.execution = ?
"""  # noqa: S608 - columns of our own
_SELECT_COMMITS: Final = (
    "SELECT first_sequence, at, version, events FROM commits"
    " WHERE execution = ? AND last_sequence > ? ORDER BY last_sequence"
)
_SELECT_OPEN: Final = (
    "SELECT execution, tenant, sequence, status, busy, node, wake_at FROM executions"
    " WHERE ended_at IS NULL AND (tenant, execution) > (?, ?)"
    " ORDER BY tenant, execution LIMIT ?"
)
_COUNT_OPEN: Final = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM executions WHERE tenant = ? AND ended_at IS NULL LIMIT ?)"
)


class SqliteEventStore:
    """The ``EventStore`` port on a ``SqliteDatabase``; many appends share one transaction.

    Args:
        database: with the tables of ``schema.MIGRATIONS``.
        node: who appends; it owns the executions that it leaves busy.
        clock: says which idempotency keys are still alive.
        bell: rung after every commit.
        observe: told of every commit that is durable.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        *,
        node: str,
        clock: Clock,
        bell: LogBell,
        observe: Callable[[Commit], None] = lambda _: None,
    ) -> None:
        self._database = database
        self._node = node
        self._clock = clock
        self._bell = bell
        self._observe = observe

    async def append(self, commit: Commit) -> None:
        """Make *commit* durable; see ``EventStore``."""
        await self._database.write(writing_of(commit, self._node))
        self._bell.ring()
        self._observe(commit)

    async def load(self, execution: str) -> Stored | None:
        """Return the newest snapshot that can be read and the events after it."""
        return await self._database.read(lambda db: _load(db, execution))

    async def head(self, execution: str) -> Head | None:
        """Return the tip only."""
        return await self._database.read(lambda db: _head(db, execution))

    async def read(
        self, execution: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Recorded]:
        """Return the events after the sequence *after*, *limit* at the most."""
        return await self._database.read(lambda db: _read(db, execution, after, limit))

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return what is due, tenants in turns, and of each the most urgent first."""

        return await self._database.read(lambda db: due(db, micros(now), limit))

    async def next_wake(self) -> datetime | None:
        """Return the earliest ``wake_at`` of all."""
        statement = "SELECT MIN(wake_at) FROM executions WHERE wake_at IS NOT NULL"
        return await self._database.read(
            lambda db: maybe_moment(db.execute(statement).fetchone()[0])
        )

    async def take_over(self, owner: str, limit: int) -> Sequence[str]:
        """Make *owner* the owner of what earlier processes left busy."""
        return await self._database.write(lambda db: _take_over(db, owner, limit))

    async def started_by(self, tenant: str, owner: str, key: str) -> tuple[str, str] | None:
        """Return (execution, fingerprint) of an idempotency key that has not expired."""
        now = self._clock.now()
        return await self._database.read(lambda db: key_of(db, tenant, owner, key, now))

    async def open_executions(
        self, after: tuple[str, str] | None, limit: int
    ) -> Sequence[OpenExecution]:
        """Return some open executions, those behind *after*."""
        place = after or ("", "")

        def work(db: sqlite3.Connection) -> list[OpenExecution]:
            return [_open_of(row) for row in db.execute(_SELECT_OPEN, (*place, limit))]

        return await self._database.read(work)

    async def count_open(self, tenant: str, limit: int) -> int:
        """Return how many executions of *tenant* are open, *limit* at the most."""

        def work(db: sqlite3.Connection) -> int:
            return int(db.execute(_COUNT_OPEN, (tenant, limit)).fetchone()[0])

        return await self._database.read(work)


def _open_of(row: Row) -> OpenExecution:
    execution, tenant, sequence, status, busy, node, wake_at = row
    return OpenExecution(
        execution=execution,
        tenant=tenant,
        sequence=sequence,
        status=status,
        busy=bool(busy),
        nodes=(node,),
        wake_at=maybe_moment(wake_at),
    )


def _head(db: sqlite3.Connection, execution: str) -> Head | None:
    row = db.execute(_SELECT_HEAD, (execution,)).fetchone()
    return None if row is None else Head(execution, row[-2], row[-1], summary_of(row))


def _load(db: sqlite3.Connection, execution: str) -> Stored | None:
    head = _head(db, execution)
    if head is None:
        return None
    snapshot = db.execute(
        "SELECT sequence, state FROM snapshots WHERE execution = ? AND version = ?",
        (execution, STATE_VERSION),
    ).fetchone()
    sequence, state = snapshot or (0, None)
    return Stored(head, state, sequence, tuple(_events_after(db, execution, sequence)))


def _events_after(db: sqlite3.Connection, execution: str, after: int) -> list[Recorded]:
    """Return all events above *after*, which is where a commit ends."""
    return [
        Recorded(sequence, at, event)
        for first, micros_at, version, data in db.execute(_SELECT_COMMITS, (execution, after))
        for at in (moment_of(micros_at),)
        for sequence, event in enumerate(decode_events(data, version), first)
    ]


def _read(db: sqlite3.Connection, execution: str, after: int, limit: int) -> list[Recorded]:
    found: list[Recorded] = []
    for first, at, version, data in db.execute(_SELECT_COMMITS, (execution, after)):
        skip = max(0, after + 1 - first)
        events = decode_slice(data, version, skip, limit - len(found))
        moment = moment_of(at)
        found += [Recorded(n, moment, event) for n, event in enumerate(events, first + skip)]
        if len(found) >= limit:
            break
    return found


def _take_over(db: sqlite3.Connection, owner: str, limit: int) -> list[str]:
    found = left_by_others(db, owner, limit)
    db.executemany(
        "UPDATE executions SET epoch = epoch + 1, node = ? WHERE execution = ?",
        [(owner, execution) for execution in found],
    )
    return found
