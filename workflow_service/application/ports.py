"""Everything that the workflow service needs from the world, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import msgspec

from chassis.errors import Conflict
from workflow_service.domain.definition.served import NOTHING, Served
from workflow_service.domain.execution.effects import Effect, FunctionCall, Outcome
from workflow_service.domain.execution.events import Event
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.state import Status
from workflow_service.domain.expressions import JsonValue

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Some items of a list, and where the next ones begin (opaque; None: there are no more)."""

    items: tuple[T, ...]
    next_cursor: str | None = None


# ------------------------------------------------------------------ definitions


class StoredDefinition(msgspec.Struct, frozen=True):
    """A published definition."""

    tenant: str
    namespace: str
    name: str
    version: str
    digest: str
    document: bytes
    """Canonical JSON."""
    created_at: datetime
    created_by: str
    title: str = ""
    summary: str = ""


class Definitions(Protocol):
    """Published definitions; one that is there never changes."""

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        """Insert *definition* unless its version is taken, atomically; return the one that is stored."""
        ...

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        """Return that version."""
        ...

    async def newest(self, tenant: str, namespace: str, name: str) -> StoredDefinition | None:
        """Return the highest version by semver precedence; a pre-release only when there is no release."""
        ...

    async def by_digest(self, tenant: str, digest: str) -> StoredDefinition | None:
        """Return a definition with that content."""
        ...

    async def list(
        self,
        tenant: str,
        *,
        namespace: str | None,
        name: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[StoredDefinition]:
        """Return definitions, ordered by namespace, name and descending version."""
        ...


# ------------------------------------------------------------------ executions


class VersionConflict(Conflict):
    """The history has moved on since it was read."""


class StaleOwner(Conflict):
    """Another owner has taken the execution over."""


class StartedBefore(Conflict):
    """The idempotency key was used before.

    Attributes:
        execution: the execution that it started.
        fingerprint: what was asked for then.
    """

    def __init__(self, execution: str, fingerprint: str) -> None:
        super().__init__("this idempotency key has been used before")
        self.execution = execution
        self.fingerprint = fingerprint


class Recorded(msgspec.Struct, frozen=True):
    """An event as history has it. Sequences begin at 1 and have no holes."""

    sequence: int
    at: datetime
    event: Event


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What lists and questions need of an execution, kept up to date in the same commit as its events."""

    execution: str
    tenant: str
    owner: str
    namespace: str
    name: str
    version: str
    digest: str
    status: Status
    priority: int
    tags: JsonValue
    """As given: an object of strings, an array of strings, or None."""
    input: JsonValue
    output: JsonValue | msgspec.UnsetType = msgspec.UNSET
    problem: Problem | None = None
    created_at: datetime
    run_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None


class IdempotencyKey(msgspec.Struct, frozen=True):
    """Says that the same start request must start one execution only."""

    tenant: str
    owner: str
    key: str
    fingerprint: str
    """Digest of what is asked for: the same key with another request is refused."""
    expires_at: datetime


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """All that one advance changes, made durable together or not at all."""

    execution: str
    expected: int
    """Sequence of the last event that the decision knew; 0: the execution must not exist."""
    epoch: int
    """Fencing number of the owner that decided."""
    at: datetime
    events: tuple[Event, ...]
    summary: Summary
    wake_at: datetime | None
    """When somebody must look at it again by itself; None: never (it has ended, or is suspended)."""
    busy: bool
    """Whether work of it is under way in its owner (effects, a list to go on with): a new owner must resume it."""
    snapshot: bytes | None = None
    """The encoded state after these events, to begin loading from; None: keep the last one."""
    idempotency: IdempotencyKey | None = None


class Head(msgspec.Struct, frozen=True):
    """The tip of an execution: enough to end it without loading its history."""

    execution: str
    sequence: int
    epoch: int
    summary: Summary


class Stored(msgspec.Struct, frozen=True):
    """All that is needed to go on with an execution."""

    head: Head
    snapshot: bytes | None
    snapshot_sequence: int
    """Sequence of the last event that the snapshot includes; 0 without one."""
    events: tuple[Recorded, ...]
    """Those after the snapshot."""


class OpenExecution(msgspec.Struct, frozen=True, kw_only=True):
    """What tells whether an open execution will go on by itself."""

    execution: str
    tenant: str
    sequence: int
    status: Status
    busy: bool
    nodes: tuple[str, ...]
    """Who worked on it since it became busy, or last."""
    wake_at: datetime | None


class EventStore(Protocol):
    """Histories with optimistic concurrency and fencing; its log is the outbox.

    ``append`` is one durable commit; commits of many executions may share a transaction (group commit), and one that is
    refused does not disturb the others.
    """

    async def append(self, commit: Commit) -> None:
        """Make *commit* durable.

        Raises:
            VersionConflict: the execution is not at ``commit.expected``.
            StaleOwner: it has a higher epoch.
            StartedBefore: the idempotency key is in use; nothing was changed.
        """
        ...

    async def load(self, execution: str) -> Stored | None:
        """Return the snapshot and the events after it."""
        ...

    async def head(self, execution: str) -> Head | None:
        """Return the tip only."""
        ...

    async def read(
        self, execution: str, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Recorded]:
        """Return events in order, those with a sequence above *after*; fewer than *limit* at the end only."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[str]:
        """Return open executions whose ``wake_at`` has come.

        Tenants take turns; of one tenant, higher priorities come first, then the longest due.
        """
        ...

    async def next_wake(self) -> datetime | None:
        """Return the earliest ``wake_at`` of all."""
        ...

    async def take_over(self, owner: str, limit: int) -> Sequence[str]:
        """Make *owner* the owner of busy executions that have none alive, raising their epoch; return them.

        Tenants take turns.

        Embedded: no other process can hold the store, so every busy execution of an earlier owner qualifies.
        """
        ...

    async def started_by(self, tenant: str, owner: str, key: str) -> tuple[str, str] | None:
        """Return (execution, fingerprint) of a live idempotency key."""
        ...

    async def open_executions(
        self, after: tuple[str, str] | None, limit: int
    ) -> Sequence[OpenExecution]:
        """Return open executions in the order of (tenant, execution), those behind *after*.

        Cheap enough to look at all of them again and again, some at a time.
        """
        ...

    async def count_open(self, tenant: str, limit: int) -> int:
        """Return how many executions of *tenant* have not ended, counting no further than *limit*."""
        ...


class Retention(Protocol):
    """Deletes what is old, some at a time: each method is called until it returns 0.

    Nothing is deleted that the relay has not published yet.
    """

    async def forget_ended(self, before: datetime, limit: int) -> int:
        """Make up to *limit* executions that ended before *before* unfindable; ``purge`` deletes their histories."""
        ...

    async def purge(self, limit: int) -> int:
        """Delete up to *limit* pieces of the histories of what was forgotten, also by an earlier process."""
        ...

    async def drop_keys(self, now: datetime, limit: int) -> int:
        """Delete up to *limit* idempotency keys that have expired."""
        ...

    async def drop_inbound(self, before: datetime, limit: int) -> int:
        """Delete events from outside that came before *before*; one that is sent again then counts as new."""
        ...

    async def compact(self, pages: int) -> int:
        """Give unused room back, in up to *pages* pieces; return how many that were."""
        ...


class ExecutionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which executions a list shows. None or empty: all."""

    tenant: str
    owner: str | None = None
    statuses: tuple[str, ...] = ()
    namespace: str | None = None
    name: str | None = None
    version: str | None = None
    tag: str | None = None
    """An element of an array of tags; of an object: a key, or ``key=value`` or ``key:value``."""
    created_from: datetime | None = None
    created_to: datetime | None = None


class Summaries(Protocol):
    """Executions as lists show them."""

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """Return one."""
        ...

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """Return those that match, newest first."""
        ...


class InboundEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A CloudEvent that somebody sent to the suite."""

    tenant: str
    sender: str
    id: str
    source: str
    type: str
    time: datetime | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: bytes = b""
    extensions: dict[str, str] = {}


class InboundEvents(Protocol):
    """Events from outside, kept before they are acknowledged, and published through the same log."""

    async def add(self, events: Sequence[InboundEvent], at: datetime) -> int:
        """Keep those not seen before (by tenant, source and id), durably; return how many that were."""
        ...


# ------------------------------------------------------------------ the world


class Runner(Protocol):
    """Performs effects. Failures of the called are outcomes, not exceptions."""

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended.

        An exception means that the runner itself is broken or was cancelled; the effect then stays pending.
        """
        ...


class FunctionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A function as whoever serves it has declared it last."""

    tenant: str
    owner: str
    """Whose executions it is served to; empty: to everybody's in the tenant."""
    name: str
    version: str
    input_schema: bytes = b""
    """JSON Schema as JSON; empty: anything goes."""
    output_schema: bytes = b""
    last_seen_at: datetime


class Functions(Protocol):
    """Functions that workers serve or have served."""

    async def declare(self, functions: Sequence[FunctionRecord], most: int) -> bool:
        """Keep *functions*, over what was declared before; False, and nothing changed, when a tenant would have more than *most*."""
        ...

    async def names(self, tenant: str, owner: str) -> Sequence[tuple[str, str]]:
        """Return name and version of all that are served to executions of *owner*."""
        ...

    async def list(
        self, tenant: str, owner: str | None, limit: int, after: tuple[str, str, str] | None
    ) -> Sequence[FunctionRecord]:
        """Return functions ordered by name, version and owner, those above *after*.

        Args:
            tenant: whose.
            owner: those served to executions of this user; None: all of the tenant.
            limit: at most so many.
            after: name, version and owner that an earlier page ended with.
        """
        ...


class FunctionsServed(Protocol):
    """Who serves functions outside of definitions."""

    async def served(self, tenant: str, owner: str) -> Served:
        """Return what definitions of *owner* may call."""
        ...

    def lacks(self, call: FunctionCall) -> bool:
        """Whether nobody is there now who could serve *call*."""
        ...


class NobodyServes:
    """No functions at all."""

    async def served(self, tenant: str, owner: str) -> Served:
        """Return nothing."""
        return NOTHING

    def lacks(self, call: FunctionCall) -> bool:
        """Say yes."""
        return True


class LocalFunction(msgspec.Struct, frozen=True):
    """A function that the operator serves in this process."""

    name: str
    version: str
    input_schema: bytes = b""
    output_schema: bytes = b""


class Progress(Protocol):
    """Tells those who watch an execution that there is more to see, in this process."""

    def changed(self, execution: str, sequence: int, *, ended: bool) -> None:
        """Say that *execution* is now at *sequence*."""
        ...

    async def wait(self, execution: str, after: int, timeout: float) -> None:
        """Return when there may be events above *after*, or after *timeout* seconds."""
        ...
