"""Commits on their way into SQLite: encoded by whoever commits, written by the store's thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from chassis.storage.many import insert_rows, write_rows
from workflow_service.adapters.columns import has_ended, maybe_micros, micros, tags_of
from workflow_service.adapters.event_codec import EVENTS_VERSION, STATE_VERSION
from workflow_service.adapters.payloads import CommitEncoding
from workflow_service.adapters.sqlite.commit_events import events_of
from workflow_service.adapters.sqlite.payloads import keep
from workflow_service.adapters.sqlite.rows import Row, contents_row, execution_row, results_of
from workflow_service.application.ports import (
    Commit,
    IdempotencyKey,
    StaleOwner,
    StartedBefore,
    VersionConflict,
)
from workflow_service.domain.execution.workflow_events import WorkflowRetried

_EXECUTIONS: Final = """
INSERT INTO executions (
    execution, tenant, owner, namespace, name, version, digest, priority, created_at, run_at,
    sequence, epoch, node, busy, wake_at, status, started_at, ended_at, parent
)"""
_UNLESS_THERE: Final = "ON CONFLICT (execution) DO NOTHING"
_CONTENTS: Final = (
    "INSERT INTO contents"
    " (execution, tags, input, input_refs, output, output_refs, problem, problem_refs, origin)"
)
_TAGS: Final = "INSERT INTO execution_tags (tenant, tag, execution)"
# SQLite calls the columns of VALUES column1, column2, …: those of `_change`.
_CHANGES: Final = """
UPDATE executions
SET sequence = change.column1, node = change.column2, busy = change.column3,
    wake_at = change.column4, status = change.column5, started_at = change.column6,
    ended_at = change.column7
FROM (VALUES"""
_CHANGED: Final = """) AS change
WHERE executions.execution = change.column8
  AND executions.sequence = change.column9 AND executions.epoch = change.column10
"""
_RENEW_CONTENTS: Final = (
    "UPDATE contents SET input = ?, input_refs = ?, output = NULL, output_refs = NULL,"
    " problem = NULL, problem_refs = NULL WHERE execution = ?"
)
_RESULTS: Final = """
UPDATE contents
SET output = result.column1, output_refs = result.column2, problem = result.column3,
    problem_refs = result.column4
FROM (VALUES"""
_OF_RESULTS: Final = ") AS result WHERE contents.execution = result.column5"
_COMMITS: Final = (
    "INSERT INTO commits"
    " (execution, first_sequence, last_sequence, at, version, events, events_refs)"
)
_SNAPSHOTS: Final = (
    "INSERT OR REPLACE INTO snapshots (execution, sequence, version, state, state_refs)"
)

Kept: TypeAlias = tuple[int, int]
"""How many large values were new, and how many were there already."""
_NONE_KEPT: Final = (0, 0)


def writing_of(
    commit: Commit, node: str, encoding: CommitEncoding
) -> Callable[[sqlite3.Connection], Kept]:
    """Return the work that makes *commit*, of *node*, durable; it may be done in another thread.

    The work raises what ``EventStore.append`` does. It returns how many large values were new, and how many were there.
    It is a brief one, done together with others, unless it has large values to write.
    """
    kind = Beginning if commit.expected == 0 else Continuing
    write = kind(commit, node, encoding)
    return write.keeping if write.payloads else write


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
    """One commit, encoded before it reaches the writer's thread: a ``SharedWork``."""

    __slots__ = ("commit", "events", "execution", "log", "payloads", "snapshot")

    def __init__(self, commit: Commit, execution: Row, encoding: CommitEncoding) -> None:
        self.commit = commit
        self.execution = execution
        self.log: Row | None = None
        self.snapshot: Row | None = None
        last = commit.expected + len(commit.events)
        if commit.events:
            self.log = (
                commit.execution,
                commit.expected + 1,
                last,
                micros(commit.at),
                EVENTS_VERSION,
                *encoding.encode_list(commit.events),
            )
        if commit.snapshot is not None:
            state = encoding.encode(commit.snapshot)
            self.snapshot = (commit.execution, last, STATE_VERSION, *state)
        self.events = events_of(commit)
        self.payloads = encoding.payloads

    def __call__(self, db: sqlite3.Connection) -> Kept:
        """Do it alone, without its large values."""
        return self.together(db, (self,))[0]

    def keeping(self, db: sqlite3.Connection) -> Kept:
        """Do it with its large values, which is not brief."""
        self(db)
        commit = self.commit
        return keep(db, commit.summary.tenant, commit.execution, self.payloads)

    @staticmethod
    def together(db: sqlite3.Connection, writes: Sequence[_Write]) -> Sequence[Kept]:
        """Do all of *writes*, without their large values.

        Raises:
            VersionConflict: one of them is refused, whichever it is and why.
        """
        _begin(db, [write for write in writes if isinstance(write, Beginning)])
        _continue(db, [write for write in writes if isinstance(write, Continuing)])
        insert_rows(db, _COMMITS, [write.log for write in writes if write.log])
        insert_rows(db, _SNAPSHOTS, [write.snapshot for write in writes if write.snapshot])
        for write in writes:
            if write.events is not None:
                write.events(db)
        return [_NONE_KEPT] * len(writes)


class Beginning(_Write):
    """The first commit of an execution."""

    __slots__ = ("contents", "tags")

    def __init__(self, commit: Commit, node: str, encoding: CommitEncoding) -> None:
        summary = commit.summary
        self.contents = contents_row(summary, encoding)
        self.tags = [(summary.tenant, tag, commit.execution) for tag in tags_of(summary)]
        super().__init__(commit, execution_row(commit, node), encoding)

    def claim(self, db: sqlite3.Connection) -> None:
        """Take the idempotency key, if there is one."""
        commit = self.commit
        if commit.idempotency is not None:
            _claim(db, commit.idempotency, commit.execution, commit.at)


class Continuing(_Write):
    """A later commit of an execution."""

    __slots__ = ("input", "results")

    def __init__(self, commit: Commit, node: str, encoding: CommitEncoding) -> None:
        summary, name = commit.summary, commit.execution
        again = bool(commit.events) and isinstance(commit.events[0], WorkflowRetried)
        self.input = (*encoding.encode(summary.input), name) if again else None
        self.results = (*results_of(summary, encoding), name) if has_ended(summary) else None
        super().__init__(commit, _change(commit, node), encoding)

    def __call__(self, db: sqlite3.Connection) -> Kept:
        """Do it alone, without its large values."""
        try:
            return super().__call__(db)
        except VersionConflict:
            raise _refusal(db, self.commit) from None


def _begin(db: sqlite3.Connection, writes: Sequence[Beginning]) -> None:
    for write in writes:
        write.claim(db)
    rows = [write.execution for write in writes]
    if insert_rows(db, _EXECUTIONS, rows, _UNLESS_THERE) < len(rows):
        raise VersionConflict("the execution exists already")
    insert_rows(db, _CONTENTS, [write.contents for write in writes])
    insert_rows(db, _TAGS, [tag for write in writes for tag in write.tags])


def _continue(db: sqlite3.Connection, writes: Sequence[Continuing]) -> None:
    rows = [write.execution for write in writes]
    if write_rows(db, _CHANGES, rows, _CHANGED) < len(rows):
        raise VersionConflict("an execution has moved on")
    for write in writes:
        if write.input is not None:
            db.execute(_RENEW_CONTENTS, write.input)
    results = [write.results for write in writes if write.results is not None]
    write_rows(db, _RESULTS, results, _OF_RESULTS)


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
