"""Histories in MongoDB: every commit goes through the journal, and is read from what the journal derives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from chassis.clock import Clock
from chassis.errors import ServiceError
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.columns import maybe_moment, micros
from workflow_service.adapters.event_codec import STATE_VERSION, decode_state
from workflow_service.adapters.metrics import observe_payloads
from workflow_service.adapters.mongo.commits import CommitEntry, TakeOverEntry
from workflow_service.adapters.mongo.documents import summary_of
from workflow_service.adapters.mongo.entries import Tip
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.lookups import TAKEN, taken_key
from workflow_service.adapters.mongo.payloads import fetching_of, values_of
from workflow_service.adapters.mongo.reading import all_events, some_events
from workflow_service.adapters.mongo.turns import Share, due, left_by, next_wake
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.application.ports import (
    Commit,
    Head,
    OpenExecution,
    Recorded,
    Stored,
    VersionConflict,
)
from workflow_service.domain.execution.events import EventEmitted

_OPEN: Final = {"tenant": 1, "sequence": 1, "status": 1, "busy": 1, "nodes": 1, "wake_at": 1}
_GLANCE: Final = timedelta(seconds=0.2)
"""How soon it is looked again at what another process ought to wake."""
_TAKES: Final = 10
"""How often in a row it is looked for what the dead have left while others go on with all of it."""
_LOADS: Final = 40
"""How often a history is read again while its last commit is being written, 50 times a second."""


class MongoEventStore:
    """The ``EventStore`` port on a ``MongoDatabase``.

    Args:
        database: with the collections of ``schema.MIGRATIONS``.
        journal: of the same.
        node: who appends; it owns the executions that it leaves busy.
        clock: says which idempotency keys are still alive.
        bell: rung after every commit.
        observe: told of every commit that is durable.
        codec: takes large values out of commits.
        intake: rung when a commit has emitted events.
        alive: the other nodes that live.
        dead: those whose work may be taken over.
    """

    def __init__(
        self,
        database: MongoDatabase,
        journal: Journal,
        *,
        node: str,
        clock: Clock,
        bell: LogBell,
        observe: Callable[[Commit], None] = lambda _: None,
        codec: PayloadCodec | None = None,
        intake: IntakeBell | None = None,
        alive: Callable[[], Collection[str]],
        dead: Callable[[], Awaitable[Collection[str]]],
    ) -> None:
        self._database = database
        self._journal = journal
        self._executions = database.collection("executions")
        self._node = node
        self._clock = clock
        self._bell = bell
        self._observe = observe
        self._codec = codec or PayloadCodec()
        self._intake = intake or IntakeBell()
        self._alive = alive
        self._dead = dead

    async def append(self, commit: Commit) -> None:
        """Make *commit* durable; see ``EventStore``."""
        encoding = self._codec.encoding(commit.execution)
        entry = CommitEntry(commit, self._node, encoding)
        await self._journal.put(entry)
        await entry.after(self._database)
        if encoding.splitter is not None:
            self._codec.durable(commit, encoding)
            observe_payloads(*entry.kept)
        self._bell.ring()
        if any(isinstance(event, EventEmitted) for event in commit.events):
            self._intake.ring()
        self._observe(commit)

    async def load(self, execution: str) -> Stored | None:
        """Return the newest snapshot that can be read and the events after it."""
        await self._journal.barrier.derive(execution)
        for _ in range(_LOADS):
            head, snapshot = await asyncio.gather(self._head(execution), self._snapshot(execution))
            if head is None:
                return None
            after = 0 if snapshot is None else snapshot["sequence"]
            if after <= head.sequence:
                events = await all_events(self._database, execution, after, head.sequence)
                if (events[-1].sequence if events else after) == head.sequence:
                    break
            # Another commit is on its way: what it changes is written side by side.
            await asyncio.sleep(0.02)
            await self._journal.barrier.derive(execution)
        else:
            raise StoreUnavailable("the history is being written")
        if snapshot is None:
            return Stored(head, None, 0, tuple(events))
        values = await values_of(self._database, [(execution, snapshot["references"])])
        taken_out = values.taken_out(execution, snapshot["references"])
        return Stored(head, decode_state(snapshot["state"], taken_out), after, tuple(events))

    async def head(self, execution: str) -> Head | None:
        """Return the tip only."""
        await self._journal.barrier.derive(execution)
        return await self._head(execution)

    async def _head(self, execution: str) -> Head | None:
        with store_errors():
            found = await self._executions.find_one({"_id": execution})
        if found is None:
            return None
        summary = summary_of(found, await fetching_of(self._database, [found]))
        return Head(execution, found["sequence"], found["epoch"], summary)

    async def read(
        self, execution: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Recorded]:
        """Return the events after the sequence *after*, *limit* or ``READ_BYTES`` at the most."""
        await self._journal.barrier.derive(execution)
        return await some_events(self._database, execution, after, limit)

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return what is due, tenants in turns, and of each the most urgent first."""
        earliest = await self._next_wake()
        if earliest is None or earliest > micros(now):
            return []
        await self._journal.barrier.flush()
        share = Share(self._node, (self._node, *self._alive()))
        return await due(self._database, micros(now), limit, share)

    async def next_wake(self) -> datetime | None:
        """Return the earliest ``wake_at`` of all; a bit later when it may be another process that is due to act."""
        earliest = maybe_moment(await self._next_wake())
        if earliest is None or not self._alive():
            return earliest
        return max(earliest, self._clock.now() + _GLANCE)

    async def _next_wake(self) -> int | None:
        """Return the earliest time that anything says, although something later may say otherwise."""
        underived = (
            self._journal.barrier.wake
        )  # asked first: what is derived meanwhile is found then
        derived = await next_wake(self._database)
        return min((at for at in (underived, derived) if at is not None), default=None)

    async def take_over(self, owner: str, limit: int) -> Sequence[str]:
        """Make *owner* the owner of what dead nodes left busy, also where others took part."""
        for _ in range(_TAKES):
            await self._journal.barrier.settle()
            dead = set(await self._dead()) - {owner}
            found = await left_by(self._database, sorted(dead), limit)
            took = await asyncio.gather(
                *(self._take(each, seen, owner) for each, seen in found.items())
            )
            taken = [execution for execution in took if execution is not None]
            if taken or not found:
                return taken
        return ()

    async def started_by(self, tenant: str, owner: str, key: str) -> tuple[str, str] | None:
        """Return (execution, fingerprint) of an idempotency key that has not expired."""
        name, now = key_of(tenant, owner, key), micros(self._clock.now())
        taken = await self._journal.barrier.claim(name)
        if taken is None:
            keys = self._database.collection("idempotency_keys")
            with store_errors():
                found = await keys.find_one({"_id": name}, TAKEN)
            taken = taken_key(found)
        if taken is None or taken.expires_at <= now:
            return None
        return taken.execution, taken.fingerprint

    async def open_executions(
        self, after: tuple[str, str] | None, limit: int
    ) -> Sequence[OpenExecution]:
        """Return some open executions, those behind *after*."""
        await self._journal.barrier.settle()
        tenant, execution = after or ("", "")
        behind = [
            {"tenant": tenant, "_id": {"$gt": execution}},
            {"tenant": {"$gt": tenant}},
        ]
        which = {"open": {"$gt": 0}, "$or": behind}
        with store_errors():
            cursor = self._executions.find(which, _OPEN).sort([("tenant", 1), ("_id", 1)])
            found = await cursor.limit(limit).to_list()
        listening = await self._listening(found)
        return [_open_of(each, listening=each["_id"] in listening) for each in found]

    async def count_open(self, tenant: str, limit: int) -> int:
        """Return how many executions of *tenant* are open, *limit* at the most."""
        async with self._journal.barrier.begun(tenant) as begun:
            if begun is not None:
                return min(begun + await self._counted_open(tenant, limit), limit)
        await self._journal.barrier.flush()
        return await self._counted_open(tenant, limit)

    async def _counted_open(self, tenant: str, limit: int) -> int:
        which = {"tenant": tenant, "open": {"$gt": 0}}
        with store_errors():
            return await self._executions.count_documents(which, limit=limit)

    async def _snapshot(self, execution: str) -> Document | None:
        which = {"_id": execution, "version": STATE_VERSION}
        with store_errors():
            return await self._database.collection("snapshots").find_one(which)

    async def _take(self, execution: str, seen: Tip, owner: str) -> str | None:
        """Take it over as it was seen; None when somebody has gone on with it since, so that it must be looked at again."""
        entry = TakeOverEntry(execution, seen, owner, micros(self._clock.now()))
        try:
            await self._journal.put(entry)
        except VersionConflict:
            return None
        except ServiceError as failure:
            raise StoreUnavailable(failure.message) from failure
        return execution

    async def _listening(self, rows: Sequence[Document]) -> set[str]:
        """Which of *rows* rest because they listen."""
        resting = [
            row["_id"] for row in rows if row.get("wake_at") is None and row["status"] == "waiting"
        ]
        if not resting:
            return set()
        which = {"execution": {"$in": resting}}
        with store_errors():
            found = self._database.collection("subscriptions").find(which, {"execution": 1})
            return {each["execution"] for each in await found.to_list()}


def _open_of(document: Document, *, listening: bool) -> OpenExecution:
    return OpenExecution(
        execution=document["_id"],
        tenant=document["tenant"],
        sequence=document["sequence"],
        status=document["status"],
        busy=bool(document.get("busy")),
        nodes=tuple(document["nodes"]),
        wake_at=maybe_moment(document.get("wake_at")),
        listening=listening,
    )
