"""What a commit has to do with events: those that it emits go into the intake, and its subscriptions begin and end."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from workflow_service.adapters.sqlite.intake import Entry, end_of, entry_of, put
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.ports import Commit
from workflow_service.application.projections.inbound import emitted
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.execution.listening import (
    NO_CHANGE,
    Subscription,
    SubscriptionChange,
)

_INSERT: Final = (
    "INSERT OR REPLACE INTO subscriptions"
    " (tenant, type, shape, key, execution, frame, number, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_DELETE: Final = (
    "DELETE FROM subscriptions"
    " WHERE tenant = ? AND type = ? AND shape = ? AND execution = ? AND frame = ? AND number = ?"
)
_MOVE: Final = (
    "UPDATE subscriptions SET key = ?"
    " WHERE tenant = ? AND type = ? AND shape = ? AND execution = ? AND frame = ? AND number = ?"
)
_DELETE_ALL: Final = "DELETE FROM subscriptions WHERE execution = ?"


def events_of(commit: Commit) -> CommitEvents | None:
    """Return what *commit* has to do with events; None for most."""
    entries = [
        _entry_of(event, commit) for event in commit.events if isinstance(event, EventEmitted)
    ]
    if not entries and commit.subscriptions is NO_CHANGE:
        return None
    tenant = commit.summary.tenant
    return CommitEvents(entries, _Change(commit.subscriptions, tenant, commit.execution))


def _entry_of(event: EventEmitted, commit: Commit) -> Entry | None:
    told = emitted(event.event, commit.at, commit.summary.tenant, commit.execution)
    return None if told is None else entry_of(told, commit.at)


class CommitEvents:
    """Made ready before it reaches the store, and written in the commit's own transaction."""

    __slots__ = ("_change", "_entries")

    def __init__(self, entries: Sequence[Entry | None], change: _Change) -> None:
        self._entries = entries
        self._change = change

    def __call__(self, db: sqlite3.Connection) -> None:
        """Put what was emitted into the intake, and the subscriptions where they belong between that."""
        ends = [end_of(db)]
        for entry in self._entries:
            position = None if entry is None else put(db, entry)
            ends.append(ends[-1] if position is None else position)
        self._change(db, ends)


class _Change:
    """What a commit changes, made ready before it reaches the writer's thread."""

    __slots__ = ("_added", "_all_removed", "_execution", "_moved", "_removed", "_tenant")

    def __init__(self, change: SubscriptionChange, tenant: str, execution: str) -> None:
        self._tenant = tenant
        self._execution = execution
        self._all_removed = change.all_removed
        self._removed = [self._identity(each) for each in change.removed]
        self._moved = [(each.key, *self._identity(each)) for each in change.moved]
        self._added = [(each.subscription, each.emitted_before) for each in change.added]

    def __call__(self, db: sqlite3.Connection, ends: Sequence[int]) -> None:
        """Write it; *ends* has the ends of the intake before and after each event that the commit emits."""
        if self._all_removed:
            db.execute(_DELETE_ALL, (self._execution,))
        for identity in self._removed:
            db.execute(_DELETE, identity)
        for row in self._moved:
            db.execute(_MOVE, row)
        for found, emitted_before in self._added:
            db.execute(_INSERT, self._row(found, ends[emitted_before]))

    def _identity(self, found: Subscription) -> Row:
        return (
            self._tenant,
            found.type,
            str(found.shape),
            self._execution,
            found.frame,
            found.number,
        )

    def _row(self, found: Subscription, since: int) -> Row:
        tenant, kind, shape, execution, frame, number = self._identity(found)
        return (tenant, kind, shape, found.key, execution, frame, number, since)
