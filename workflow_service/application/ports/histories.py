"""What a history is made of: the commits that go in, and what comes back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from chassis.errors import Conflict
from workflow_service.application.ports.summaries import Summary
from workflow_service.domain.execution.events import Event
from workflow_service.domain.execution.listening import NO_CHANGE, SubscriptionChange
from workflow_service.domain.execution.state import State, Status


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
    snapshot: State | None = None
    """The state after these events, to begin loading from; None: keep the last one."""
    idempotency: IdempotencyKey | None = None
    subscriptions: SubscriptionChange = NO_CHANGE
    """Events that it emits come into the intake in the order of its facts, these subscriptions between them."""


class Head(msgspec.Struct, frozen=True):
    """The tip of an execution: enough to end it without loading its history."""

    execution: str
    sequence: int
    epoch: int
    summary: Summary


class Stored(msgspec.Struct, frozen=True):
    """All that is needed to go on with an execution."""

    head: Head
    snapshot: State | None
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
    listening: bool = False
    """Whether it is subscribed to events; told of those only that have no time to wake at."""
