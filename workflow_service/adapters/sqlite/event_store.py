"""Histories in SQLite: one row per commit, one small row per execution that guards its sequence and epoch."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from chassis.clock import Clock
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.event_codec import (
    EVENTS_VERSION,
    STATE_VERSION,
    decode_events,
    decode_slice,
    encode_events,
)
from workflow_service.adapters.sqlite.bell import LogBell
from workflow_service.adapters.sqlite.rows import (
    SUMMARY_COLUMNS,
    Row,
    contents_row,
    execution_row,
    has_ended,
    input_of,
    maybe_micros,
    maybe_moment,
    micros,
    moment_of,
    results_of,
    summary_of,
    tags_of,
)
from workflow_service.application.ports import (
    Commit,
    Head,
    IdempotencyKey,
    Recorded,
    StaleOwner,
    StartedBefore,
    Stored,
    VersionConflict,
)
from workflow_service.domain.execution.events import WorkflowRetried

_INSERT: Final = f"""
INSERT INTO executions (
    execution, tenant, owner, namespace, name, version, digest, priority, created_at, run_at,
    sequence, epoch, node, busy, wake_at, status, started_at, ended_at
) VALUES ({", ".join("?" * 18)}) ON CONFLICT (execution) DO NOTHING
"""  # noqa: S608 - placeholders only
_INSERT_CONTENTS: Final = (
    "INSERT INTO contents (execution, input, tags, output, problem) VALUES (?, ?, ?, ?, ?)"
)
_INSERT_TAG: Final = "INSERT INTO execution_tags (tenant, tag, execution) VALUES (?, ?, ?)"
_UPDATE: Final = """
UPDATE executions
SET sequence = ?, node = ?, busy = ?, wake_at = ?, status = ?, started_at = ?, ended_at = ?
WHERE execution = ? AND sequence = ? AND epoch = ?
"""
_RENEW_CONTENTS: Final = (
    "UPDATE contents SET input = ?, output = NULL, problem = NULL WHERE execution = ?"
)
_UPDATE_RESULTS: Final = "UPDATE contents SET output = ?, problem = ? WHERE execution = ?"
_INSERT_COMMIT: Final = (
    "INSERT INTO commits (execution, first_sequence, last_sequence, at, version, events)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_INSERT_SNAPSHOT: Final = (
    "INSERT OR REPLACE INTO snapshots (execution, sequence, version, state) VALUES (?, ?, ?, ?)"
)
_SELECT_HEAD: Final = f"""
SELECT {SUMMARY_COLUMNS}, e.sequence, e.epoch
FROM executions e JOIN contents c ON c.execution = e.execution WHERE e.execution = ?
"""  # noqa: S608 - columns of our own
_SELECT_COMMITS: Final = (
    "SELECT first_sequence, at, version, events FROM commits"
    " WHERE execution = ? AND last_sequence > ? ORDER BY last_sequence"
)
_SELECT_DUE: Final = (
    "SELECT execution FROM executions WHERE wake_at <= ? ORDER BY priority DESC, wake_at LIMIT ?"
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
        work = (
            _Beginning(commit, self._node) if commit.expected == 0 else _Going(commit, self._node)
        )
        await self._database.write(work)
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
        """Return what is due, the most urgent first."""

        def work(db: sqlite3.Connection) -> list[str]:
            return [execution for (execution,) in db.execute(_SELECT_DUE, (micros(now), limit))]

        return await self._database.read(work)

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
        return await self._database.read(lambda db: _key_of(db, tenant, owner, key, now))


class _Write:
    """One commit, encoded before it reaches the writer's thread."""

    __slots__ = ("_commit", "_execution", "_log")

    def __init__(self, commit: Commit, execution: Row) -> None:
        self._commit = commit
        self._execution = execution
        self._log: Row | None = None
        if commit.events:
            self._log = (
                commit.execution,
                commit.expected + 1,
                commit.expected + len(commit.events),
                micros(commit.at),
                EVENTS_VERSION,
                encode_events(commit.events),
            )

    def _write_history(self, db: sqlite3.Connection) -> None:
        commit = self._commit
        if self._log is not None:
            db.execute(_INSERT_COMMIT, self._log)
        if commit.snapshot is not None:
            sequence = commit.expected + len(commit.events)
            row = (commit.execution, sequence, STATE_VERSION, commit.snapshot)
            db.execute(_INSERT_SNAPSHOT, row)


class _Beginning(_Write):
    """The first commit of an execution."""

    __slots__ = ("_contents", "_tags")

    def __init__(self, commit: Commit, node: str) -> None:
        super().__init__(commit, execution_row(commit, node))
        self._contents = contents_row(commit.summary)
        self._tags = tags_of(commit.summary)

    def __call__(self, db: sqlite3.Connection) -> None:
        commit = self._commit
        if commit.idempotency is not None:
            _claim(db, commit.idempotency, commit.execution, commit.at)
        if db.execute(_INSERT, self._execution).rowcount == 0:
            raise VersionConflict("the execution exists already")
        db.execute(_INSERT_CONTENTS, self._contents)
        for tag in self._tags:
            db.execute(_INSERT_TAG, (commit.summary.tenant, tag, commit.execution))
        self._write_history(db)


class _Going(_Write):
    """A later commit of an execution."""

    __slots__ = ("_input", "_results")

    def __init__(self, commit: Commit, node: str) -> None:
        super().__init__(commit, _change(commit, node))
        summary, name = commit.summary, commit.execution
        again = bool(commit.events) and isinstance(commit.events[0], WorkflowRetried)
        self._input = (input_of(summary), name) if again else None
        self._results = (*results_of(summary), name) if has_ended(summary) else None

    def __call__(self, db: sqlite3.Connection) -> None:
        if db.execute(_UPDATE, self._execution).rowcount == 0:
            raise _refusal(db, self._commit)
        if self._input is not None:
            db.execute(_RENEW_CONTENTS, self._input)
        if self._results is not None:
            db.execute(_UPDATE_RESULTS, self._results)
        self._write_history(db)


def _change(commit: Commit, node: str) -> Row:
    summary = commit.summary
    return (
        commit.expected + len(commit.events),
        node,
        int(commit.busy),
        maybe_micros(commit.wake_at),
        summary.status,
        maybe_micros(summary.started_at),
        maybe_micros(summary.ended_at),
        commit.execution,
        commit.expected,
        commit.epoch,
    )


def _refusal(db: sqlite3.Connection, commit: Commit) -> VersionConflict | StaleOwner:
    statement = "SELECT sequence, epoch FROM executions WHERE execution = ?"
    found = db.execute(statement, (commit.execution,)).fetchone()
    if found is not None and found[1] > commit.epoch:
        return StaleOwner("another owner has taken the execution over")
    return VersionConflict("the execution has moved on")


def _claim(db: sqlite3.Connection, key: IdempotencyKey, execution: str, at: datetime) -> None:
    taken = _key_of(db, key.tenant, key.owner, key.key, at)
    if taken is not None:
        raise StartedBefore(*taken)
    db.execute(
        "INSERT OR REPLACE INTO idempotency_keys"
        " (tenant, owner, key, execution, fingerprint, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (key.tenant, key.owner, key.key, execution, key.fingerprint, micros(key.expires_at)),
    )


def _key_of(
    db: sqlite3.Connection, tenant: str, owner: str, key: str, at: datetime
) -> tuple[str, str] | None:
    found = db.execute(
        "SELECT execution, fingerprint, expires_at FROM idempotency_keys"
        " WHERE tenant = ? AND owner = ? AND key = ?",
        (tenant, owner, key),
    ).fetchone()
    if found is None or found[2] <= micros(at):
        return None
    return found[0], found[1]


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
    found = db.execute(
        "SELECT execution FROM executions WHERE busy = 1 AND node <> ? LIMIT ?", (owner, limit)
    ).fetchall()
    db.executemany(
        "UPDATE executions SET epoch = epoch + 1, node = ? WHERE execution = ?",
        [(owner, execution) for (execution,) in found],
    )
    return [execution for (execution,) in found]
