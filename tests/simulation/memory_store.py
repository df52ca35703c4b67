"""An event store in memory that keeps the port's promises: versions, fencing, idempotency, wake-ups, taking over.

It differs from an embedded store in one thing: many processes may share it. A busy execution remembers every process
that took part since it became busy, and may be taken over as soon as one of them is dead; the others are fenced off by
the new epoch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from tests.simulation.memory_events import MemoryEvents
from workflow_service.adapters.event_codec import EVENTS_VERSION, decode_events, decode_state
from workflow_service.adapters.payloads import Fetch, PayloadCodec, TakenOut, opened
from workflow_service.adapters.payloads.codec import Column
from workflow_service.application.ports import (
    Commit,
    ExecutionFilter,
    Head,
    IdempotencyKey,
    OpenExecution,
    Page,
    Recorded,
    StaleOwner,
    StartedBefore,
    Stored,
    Summary,
    VersionConflict,
)
from workflow_service.domain.execution.state import State
from workflow_service.domain.expressions import JsonValue

LARGE: Final = 30
"""Bytes above which a value is stored apart: so few that simulated executions have many such values."""


@dataclass(slots=True)
class Written:
    """One commit as it is stored."""

    first: int
    at: datetime
    events: Column
    count: int
    fetch: Fetch

    def recorded(self, after: int) -> list[Recorded]:
        """Return its events above *after*."""
        data, references = self.events
        large = None if references is None else TakenOut(references, self.fetch)
        decoded = decode_events(data, EVENTS_VERSION, taken_out=large)
        return [
            Recorded(n, self.at, event) for n, event in enumerate(decoded, self.first) if n > after
        ]


@dataclass(slots=True)
class Row:
    """One execution."""

    summary: Summary
    sequence: int
    epoch: int
    wake_at: datetime | None
    busy: bool
    participants: dict[str, None]
    written: list[Written] = field(default_factory=list)
    payloads: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Large values of everybody, by tenant and digest."""
    stored_state: Column | None = None
    snapshot_sequence: int = 0

    @property
    def head(self) -> Head:
        """The tip."""
        return Head(self.summary.execution, self.sequence, self.epoch, self.summary)

    @property
    def open(self) -> OpenExecution:
        """What tells whether it goes on."""
        return OpenExecution(
            execution=self.summary.execution,
            tenant=self.summary.tenant,
            sequence=self.sequence,
            status=self.summary.status,
            busy=self.busy,
            nodes=tuple(self.participants),
            wake_at=self.wake_at,
        )

    def fetch(self, digest: str) -> JsonValue:
        """Return one of its large values."""
        return opened(digest, self.payloads.get((self.summary.tenant, digest)))

    @property
    def snapshot(self) -> State | None:
        """The state that was stored last."""
        if self.stored_state is None:
            return None
        data, references = self.stored_state
        return decode_state(data, None if references is None else TakenOut(references, self.fetch))

    def recorded(self, after: int = 0) -> list[Recorded]:
        """Return the events above *after*."""
        return [
            event
            for written in self.written
            if written.first + written.count - 1 > after
            for event in written.recorded(after)
        ]


class MemoryTables:
    """What is on the disk of the simulated world; every method is atomic."""

    def __init__(self, alive: Callable[[str], bool] = lambda _: False, large: int = LARGE) -> None:
        self.rows: dict[str, Row] = {}
        self.keys: dict[tuple[str, str, str], tuple[str, str, datetime]] = {}
        self.payloads: dict[tuple[str, str], bytes] = {}
        self._codecs: defaultdict[str, PayloadCodec] = defaultdict(lambda: PayloadCodec(large))
        """What each process remembers of what it has stored."""
        self.events = MemoryEvents()
        self._alive = alive

    def append(self, commit: Commit, node: str) -> None:
        """See ``EventStore``."""
        row = self._insert(commit) if commit.expected == 0 else self._at(commit)
        self._write(row, commit, node)
        self.events.commit(commit)

    def _insert(self, commit: Commit) -> Row:
        wanted = commit.idempotency
        if wanted is not None:
            taken = self.key(wanted.tenant, wanted.owner, wanted.key, commit.at)
            if taken is not None:
                raise StartedBefore(*taken)
        if commit.execution in self.rows:
            raise VersionConflict("the execution exists already")
        if wanted is not None:
            self._claim(wanted, commit.execution)
        row = Row(
            commit.summary,
            0,
            commit.epoch,
            None,
            busy=False,
            participants={},
            payloads=self.payloads,
        )
        self.rows[commit.execution] = row
        return row

    def _claim(self, wanted: IdempotencyKey, execution: str) -> None:
        place = (wanted.tenant, wanted.owner, wanted.key)
        self.keys[place] = (execution, wanted.fingerprint, wanted.expires_at)

    def _at(self, commit: Commit) -> Row:
        row = self.rows.get(commit.execution)
        if row is None:
            raise VersionConflict("there is no such execution")
        if row.epoch > commit.epoch:
            raise StaleOwner("another owner has taken the execution over")
        if row.sequence != commit.expected or row.epoch != commit.epoch:
            raise VersionConflict("the execution has moved on")
        return row

    def _write(self, row: Row, commit: Commit, node: str) -> None:
        encoding = self._codecs[node].encoding(commit.execution)
        first, count = row.sequence + 1, len(commit.events)
        if commit.events:
            events = encoding.encode_list(commit.events)
            row.written.append(Written(first, commit.at, events, count, row.fetch))
        row.sequence += count
        row.summary, row.wake_at = commit.summary, commit.wake_at
        before = row.participants if row.busy else {}
        row.participants = {**before, node: None} if commit.busy else {}
        row.busy = commit.busy
        if commit.snapshot is not None:
            row.stored_state, row.snapshot_sequence = encoding.encode(commit.snapshot), row.sequence
        for digest, data in encoding.payloads:
            self.payloads[commit.summary.tenant, digest] = data
        self._codecs[node].durable(commit, encoding)

    def load(self, execution: str) -> Stored | None:
        """See ``EventStore``."""
        row = self.rows.get(execution)
        if row is None:
            return None
        after = row.snapshot_sequence
        return Stored(row.head, row.snapshot, after, tuple(row.recorded(after)))

    def due(self, now: datetime, limit: int) -> list[str]:
        """See ``EventStore``."""
        due = [
            (-row.summary.priority, row.wake_at, execution)
            for execution, row in self.rows.items()
            if row.wake_at is not None and row.wake_at <= now
        ]
        return [execution for _, _, execution in sorted(due)[:limit]]

    def next_wake(self) -> datetime | None:
        """See ``EventStore``."""
        moments = [row.wake_at for row in self.rows.values() if row.wake_at is not None]
        return min(moments, default=None)

    def take_over(self, owner: str, limit: int) -> list[str]:
        """See ``EventStore``."""
        left = [execution for execution, row in self.rows.items() if self._is_left(row, owner)]
        for execution in left[:limit]:
            row = self.rows[execution]
            row.epoch += 1
            row.participants = {owner: None}
        return left[:limit]

    def _is_left(self, row: Row, owner: str) -> bool:
        others = (node for node in row.participants if node != owner)
        return row.busy and any(not self._alive(node) for node in others)

    def open_executions(self, after: tuple[str, str] | None, limit: int) -> list[OpenExecution]:
        """See ``EventStore``."""
        rows = [row for row in self.rows.values() if row.summary.ended_at is None]
        open_ = (
            replace(row.open, listening=self.events.listens(row.summary.execution)) for row in rows
        )
        found = sorted(open_, key=lambda each: (each.tenant, each.execution))
        return [each for each in found if (each.tenant, each.execution) > (after or ("", ""))][
            :limit
        ]

    def count_open(self, tenant: str, limit: int) -> int:
        """See ``EventStore``."""
        found = (row.summary for row in self.rows.values())
        return min(limit, sum(s.tenant == tenant and s.ended_at is None for s in found))

    def key(self, tenant: str, owner: str, key: str, now: datetime) -> tuple[str, str] | None:
        """Return what a key that is still alive stands for."""
        found = self.keys.get((tenant, owner, key))
        return None if found is None or found[2] <= now else found[:2]


@dataclass
class MemoryEventStore:
    """The ``EventStore`` port of one process, which never fails and is never slow."""

    tables: MemoryTables
    node: str
    now: Callable[[], datetime]

    async def append(self, commit: Commit) -> None:
        """See ``EventStore``."""
        self.tables.append(commit, self.node)

    async def load(self, execution: str) -> Stored | None:
        """See ``EventStore``."""
        return self.tables.load(execution)

    async def head(self, execution: str) -> Head | None:
        """See ``EventStore``."""
        row = self.tables.rows.get(execution)
        return None if row is None else row.head

    async def read(
        self, execution: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Recorded]:
        """See ``EventStore``."""
        row = self.tables.rows.get(execution)
        return [] if row is None else row.recorded(after)[:limit]

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """See ``EventStore``."""
        return self.tables.due(now, limit)

    async def next_wake(self) -> datetime | None:
        """See ``EventStore``."""
        return self.tables.next_wake()

    async def take_over(self, owner: str, limit: int) -> Sequence[str]:
        """See ``EventStore``."""
        return self.tables.take_over(owner, limit)

    async def started_by(self, tenant: str, owner: str, key: str) -> tuple[str, str] | None:
        """See ``EventStore``."""
        return self.tables.key(tenant, owner, key, self.now())

    async def open_executions(
        self, after: tuple[str, str] | None, limit: int
    ) -> Sequence[OpenExecution]:
        """See ``EventStore``."""
        return self.tables.open_executions(after, limit)

    async def count_open(self, tenant: str, limit: int) -> int:
        """See ``EventStore``."""
        return self.tables.count_open(tenant, limit)


@dataclass(frozen=True, slots=True)
class MemorySummaries:
    """The ``Summaries`` port; the engine only ever asks for one."""

    tables: MemoryTables

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """See ``Summaries``."""
        row = self.tables.rows.get(execution)
        return row.summary if row is not None and row.summary.tenant == tenant else None

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """Return all of the tenant."""
        found = [row.summary for row in self.tables.rows.values()]
        return Page(tuple(s for s in found if s.tenant == wanted.tenant))
