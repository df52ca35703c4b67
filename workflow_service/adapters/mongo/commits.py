"""Commits of executions on their way into the log."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import has_ended, maybe_micros, micros
from workflow_service.adapters.event_codec import EVENTS_VERSION, STATE_VERSION
from workflow_service.adapters.mongo.commit_events import CommitEvents
from workflow_service.adapters.mongo.documents import beginning_of, change_of
from workflow_service.adapters.mongo.entries import Group, TakenKey, Tip, View
from workflow_service.adapters.mongo.parts import PART, put_aside
from workflow_service.adapters.mongo.payloads import keep
from workflow_service.adapters.payloads import CommitEncoding
from workflow_service.application.ports import (
    Commit,
    IdempotencyKey,
    StaleOwner,
    StartedBefore,
    VersionConflict,
)

ASIDE: Final = 1024 * 1024
"""Bytes of events above which they are stored before the commit, which then only points to them."""


class CommitEntry:
    """One commit, encoded.

    Args:
        commit: as the engine made it.
        node: whose it is.
        encoding: takes its large values out.
    """

    __slots__ = (
        "_commit", "_encoding", "_events", "_execution", "_node", "_snapshot", "_token",
        "_what_happens", "kept", "keys", "size",
    )  # fmt: skip

    def __init__(self, commit: Commit, node: str, encoding: CommitEncoding) -> None:
        self._commit = commit
        self._node = node
        self._encoding = encoding
        self.kept = (0, 0)
        """How many large values were new, and how many were there already."""
        make = beginning_of if commit.expected == 0 else change_of
        self._execution = make(commit, encoding, node)
        self._events = encoding.encode_list(commit.events) if commit.events else None
        state = commit.snapshot
        self._snapshot = None if state is None else encoding.encode(state)
        self._what_happens = CommitEvents.of(commit)
        wanted = commit.idempotency
        self.keys: Sequence[str] = (
            () if wanted is None else (key_of(wanted.tenant, wanted.owner, wanted.key),)
        )
        inline = 0 if self._events is None else min(len(self._events[0]), ASIDE)
        self.size = 1_000 + inline + len(self._execution.get("input", b""))
        self._token = secrets.token_hex(8) if inline == ASIDE else ""

    @property
    def executions(self) -> Sequence[str]:
        """Its own."""
        return (self._commit.execution,)

    @property
    def events(self) -> Sequence[str]:
        """What it emits."""
        return self._what_happens.known

    def decide(self, view: View, group: Group) -> None:
        """See ``Entry``."""
        self._admit(view)
        commit, position = self._commit, group.next
        last = commit.expected + len(commit.events)
        self._write_execution(group, position)
        if commit.idempotency is not None:
            self._claim(commit.idempotency, view, group)
        self._what_happens.write(view, group, position)
        group.moved(
            view, commit.execution, Tip(last, commit.epoch), ended=has_ended(commit.summary)
        )
        told = {} if self._events is None else self._told(*self._events)
        group.add(told, micros(commit.at))

    async def before(self, database: MongoDatabase) -> None:
        """Store large values, and the events if they are many."""
        commit = self._commit
        payloads = self._encoding.payloads
        if payloads:
            self.kept = await keep(database, commit.summary.tenant, commit.execution, payloads)
        if self._token and self._events is not None:
            _ = await put_aside(database, commit.execution, self._token, self._events[0])

    async def after(self, database: MongoDatabase) -> None:
        """Keep the snapshot, which nothing depends on."""
        if self._snapshot is None or len(self._snapshot[0]) > PART:
            return
        last = self._commit.expected + len(self._commit.events)
        values: Document = {
            "sequence": last,
            "version": STATE_VERSION,
            "state": self._snapshot[0],
            "references": self._snapshot[1],
        }
        which = {"_id": self._commit.execution}
        with store_errors():
            snapshots = database.collection("snapshots")
            await snapshots.update_one(which, {"$setOnInsert": {"sequence": 0}}, upsert=True)
            await snapshots.update_one(which | {"sequence": {"$lt": last}}, {"$set": values})

    def _admit(self, view: View) -> None:
        commit = self._commit
        tip = view.tips.get(commit.execution)
        if commit.expected == 0:
            self._refuse_used_keys(view)
            if tip is not None:
                raise VersionConflict("the execution exists already")
        elif tip is not None and tip.epoch > commit.epoch:
            raise StaleOwner("another owner has taken the execution over")
        elif tip != (commit.expected, commit.epoch):
            raise VersionConflict("the execution has moved on")

    def _refuse_used_keys(self, view: View) -> None:
        now = micros(self._commit.at)
        for key in self.keys:
            taken = view.keys.get(key)
            if taken is not None and taken.expires_at > now:
                raise StartedBefore(taken.execution, taken.fingerprint)

    def _write_execution(self, group: Group, position: int) -> None:
        if self._commit.expected == 0:
            group.writes.insert("executions", self._execution | {"position": position})
            return
        change = dict(self._execution)
        change["$set"] = change["$set"] | {"position": position}
        which = {"_id": self._commit.execution, "position": {"$lt": position}}
        group.writes.update("executions", which, change)

    def _claim(self, wanted: IdempotencyKey, view: View, group: Group) -> None:
        (key,) = self.keys
        taken = TakenKey(self._commit.execution, wanted.fingerprint, micros(wanted.expires_at))
        group.claimed(view, key, taken)

    def _told(self, data: bytes, references: bytes | None) -> Document:
        commit, summary = self._commit, self._commit.summary
        events: Document = {"token": self._token} if self._token else {"events": data}
        return {
            "execution": commit.execution,
            "first": commit.expected + 1,
            "last": commit.expected + len(commit.events),
            "at": micros(commit.at),
            "version": EVENTS_VERSION,
            "references": references,
            **events,
            "about": [summary.namespace, summary.name, summary.version],
            "whose": [summary.tenant, summary.owner],
            "started_at": maybe_micros(summary.started_at),
        }


class TakeOverEntry:
    """A new owner of an execution that stood somewhere when it was seen to be left; whoever decides on what was before is fenced off."""

    __slots__ = ("_at", "_execution", "_owner", "_seen")

    keys: Sequence[str] = ()
    events: Sequence[str] = ()
    size: int = 200

    def __init__(self, execution: str, seen: Tip, owner: str, at: int) -> None:
        self._execution = execution
        self._seen = seen
        self._owner = owner
        self._at = at

    @property
    def executions(self) -> Sequence[str]:
        """Its own."""
        return (self._execution,)

    def decide(self, view: View, group: Group) -> None:
        """See ``Entry``."""
        tip = view.tips.get(self._execution)
        if tip is None:
            raise VersionConflict("the execution is gone")
        if tip != self._seen:
            raise VersionConflict("the execution has moved on, perhaps to its end")
        position = group.next
        group.writes.update(
            "executions",
            {"_id": self._execution, "position": {"$lt": position}},
            {"$set": {"epoch": tip.epoch + 1, "nodes": [self._owner], "position": position}},
        )
        group.moved(view, self._execution, Tip(tip.sequence, tip.epoch + 1))
        group.add({}, self._at)

    async def before(self, database: MongoDatabase) -> None:
        """Nothing is large here."""
