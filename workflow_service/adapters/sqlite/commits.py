"""Commits on their way into SQLite: encoded by whoever commits, written by the store's thread."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Final

from workflow_service.adapters.event_codec import EVENTS_VERSION, STATE_VERSION, encode_events
from workflow_service.adapters.sqlite.rows import (
    Row,
    contents_row,
    execution_row,
    has_ended,
    input_of,
    maybe_micros,
    micros,
    results_of,
    tags_of,
)
from workflow_service.application.ports import (
    Commit,
    IdempotencyKey,
    StaleOwner,
    StartedBefore,
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


def writing_of(commit: Commit, node: str) -> Beginning | Continuing:
    """Return the work that makes *commit*, of *node*, durable; it may be done in another thread.

    The work raises what ``EventStore.append`` does.
    """
    return Beginning(commit, node) if commit.expected == 0 else Continuing(commit, node)


def key_of(
    db: sqlite3.Connection, tenant: str, owner: str, key: str, at: datetime
) -> tuple[str, str] | None:
    """Return (execution, fingerprint) of an idempotency key that is alive at that time."""
    found = db.execute(
        "SELECT execution, fingerprint, expires_at FROM idempotency_keys"
        " WHERE tenant = ? AND owner = ? AND key = ?",
        (tenant, owner, key),
    ).fetchone()
    if found is None or found[2] <= micros(at):
        return None
    return found[0], found[1]


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


class Beginning(_Write):
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


class Continuing(_Write):
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
    taken = key_of(db, key.tenant, key.owner, key.key, at)
    if taken is not None:
        raise StartedBefore(*taken)
    db.execute(
        "INSERT OR REPLACE INTO idempotency_keys"
        " (tenant, owner, key, execution, fingerprint, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (key.tenant, key.owner, key.key, execution, key.fingerprint, micros(key.expires_at)),
    )
