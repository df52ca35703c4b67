"""Histories in SQLite: one row per commit, one small row per execution that guards its sequence and epoch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from chassis.clock import Clock
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.columns import maybe_moment, micros, moment_of
from workflow_service.adapters.event_codec import (
    STATE_VERSION,
    decode_events,
    decode_state,
    events_from,
)
from workflow_service.adapters.metrics import observe_payloads
from workflow_service.adapters.payloads import Fetch, PayloadCodec
from workflow_service.adapters.sqlite.commits import key_of, writing_of
from workflow_service.adapters.sqlite.payloads import fetching, taken_out
from workflow_service.adapters.sqlite.rows import SUMMARY_COLUMNS, Row, summary_of
from workflow_service.adapters.sqlite.turns import due, left_by_others
from workflow_service.application.ports import Commit, Head, OpenExecution, Recorded, Stored
from workflow_service.domain.execution.events import EventEmitted

READ_BYTES: Final = 2 * 1024 * 1024
"""Bytes of events that one reading of a history takes at the most, unless its first one alone has more."""

_SELECT_HEAD: Final = f"""
SELECT {SUMMARY_COLUMNS}, e.sequence, e.epoch
FROM executions e JOIN contents c ON c.execution = e.execution WHERE e.execution = ?
"""  # noqa: S608 - columns of our own
_SELECT_COMMITS: Final = (
    "SELECT first_sequence, at, version, events, events_refs FROM commits"
    " WHERE execution = ? AND last_sequence > ? ORDER BY last_sequence"
)
_SELECT_SNAPSHOT: Final = (
    "SELECT sequence, state, state_refs FROM snapshots WHERE execution = ? AND version = ?"
)
_SELECT_OPEN: Final = (
    "SELECT execution, tenant, sequence, status, busy, node, wake_at,"
    " CASE WHEN wake_at IS NULL AND status = 'waiting' THEN EXISTS ("
    "SELECT 1 FROM subscriptions s WHERE s.execution = executions.execution) ELSE 0 END"
    " FROM executions"
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
        codec: takes large values out of commits.
        intake: rung when a commit has emitted events.
    """

    def __init__(
        self,
        database: SqliteDatabase,
        *,
        node: str,
        clock: Clock,
        bell: LogBell,
        observe: Callable[[Commit], None] = lambda _: None,
        codec: PayloadCodec | None = None,
        intake: IntakeBell | None = None,
    ) -> None:
        self._database = database
        self._node = node
        self._clock = clock
        self._bell = bell
        self._observe = observe
        self._intake = intake or IntakeBell()
        self._codec = codec or PayloadCodec()

    async def append(self, commit: Commit) -> None:
        """Make *commit* durable; see ``EventStore``."""
        encoding = self._codec.encoding(commit.execution)
        large = await self._database.write(writing_of(commit, self._node, encoding))
        if encoding.splitter is not None:
            self._codec.durable(commit, encoding)
            observe_payloads(*large)
        self._bell.ring()
        if any(isinstance(event, EventEmitted) for event in commit.events):
            self._intake.ring()
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
        """Return the events after the sequence *after*, *limit* or ``READ_BYTES`` at the most."""
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
    execution, tenant, sequence, status, busy, node, wake_at, listening = row
    return OpenExecution(
        execution=execution,
        tenant=tenant,
        sequence=sequence,
        status=status,
        busy=bool(busy),
        nodes=(node,),
        wake_at=maybe_moment(wake_at),
        listening=bool(listening),
    )


def _head(db: sqlite3.Connection, execution: str) -> Head | None:
    row = db.execute(_SELECT_HEAD, (execution,)).fetchone()
    if row is None:
        return None
    return Head(execution, row[-2], row[-1], summary_of(row, partial(fetching, db)))


def _load(db: sqlite3.Connection, execution: str) -> Stored | None:
    head = _head(db, execution)
    if head is None:
        return None
    fetch = fetching(db, execution)
    row = db.execute(_SELECT_SNAPSHOT, (execution, STATE_VERSION)).fetchone()
    if row is None:
        return Stored(head, None, 0, tuple(_events_after(db, execution, 0, fetch)))
    sequence, data, references = row
    state = decode_state(data, taken_out(references, fetch))
    return Stored(head, state, sequence, tuple(_events_after(db, execution, sequence, fetch)))


def _events_after(
    db: sqlite3.Connection, execution: str, after: int, fetch: Fetch
) -> list[Recorded]:
    """Return all events above *after*, which is where a commit ends."""
    found: list[Recorded] = []
    for first, at, version, data, references in db.execute(_SELECT_COMMITS, (execution, after)):
        events = decode_events(data, version, taken_out=taken_out(references, fetch))
        moment = moment_of(at)
        found += [Recorded(n, moment, event) for n, event in enumerate(events, first)]
    return found


def _read(db: sqlite3.Connection, execution: str, after: int, limit: int) -> list[Recorded]:
    found: list[Recorded] = []
    size = 0
    fetch = fetching(db, execution)
    for first, at, version, data, references in db.execute(_SELECT_COMMITS, (execution, after)):
        skip = max(0, after + 1 - first)
        moment = moment_of(at)
        events = events_from(data, version, skip, taken_out(references, fetch))
        for sequence, (event, bytes_of_it) in enumerate(events, first + skip):
            size += bytes_of_it
            if found and size > READ_BYTES:
                return found
            found.append(Recorded(sequence, moment, event))
            if len(found) >= limit:
                return found
    return found


def _take_over(db: sqlite3.Connection, owner: str, limit: int) -> list[str]:
    found = left_by_others(db, owner, limit)
    db.executemany(
        "UPDATE executions SET epoch = epoch + 1, node = ? WHERE execution = ?",
        [(owner, execution) for execution in found],
    )
    return found
