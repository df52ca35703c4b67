"""The intake and the subscriptions of the store in memory. Nothing is deleted from the intake: a checker reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from workflow_service.application.event_ports import Arrived, Waiting
from workflow_service.application.ports import Commit, InboundEvent
from workflow_service.application.projections.inbound import emitted, received
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.execution.listening import Shape, Subscription


@dataclass(slots=True)
class Kept:
    """A subscription, and where it began."""

    tenant: str
    execution: str
    found: Subscription
    since: int

    @property
    def waiting(self) -> Waiting:
        """Who waits."""
        return Waiting(self.execution, self.found.frame, self.found.number)


@dataclass(slots=True)
class MemoryEvents:
    """Every method is atomic."""

    arrived: list[Arrived] = field(default_factory=list)
    known: set[tuple[str, str, str]] = field(default_factory=set)
    readers: dict[str, int] = field(default_factory=dict)
    kept: dict[tuple[str, str, int, Shape], Kept] = field(default_factory=dict)
    begun: dict[Waiting, list[int]] = field(default_factory=dict)
    """For every subscription there ever was, where it began, each time."""

    @property
    def end(self) -> int:
        """The position of the last event."""
        return len(self.arrived)

    def add(self, event: InboundEvent, at: datetime) -> bool:
        """Put an event into the intake unless it has been there."""
        name = (event.tenant, event.source, event.id)
        if name in self.known:
            return False
        self.known.add(name)
        self.arrived.append(Arrived(event.tenant, received(event, self.end + 1, at)))
        return True

    def commit(self, commit: Commit) -> None:
        """Do what a commit has to do with events."""
        tenant, change = commit.summary.tenant, commit.subscriptions
        ends = [self.end]
        for fact in commit.events:
            if isinstance(fact, EventEmitted):
                told = emitted(fact.event, commit.at, tenant, commit.execution)
                if told is not None:
                    self.add(told, commit.at)
                ends.append(self.end)
        if change.all_removed:
            self._drop(lambda each: each.execution == commit.execution)
        for gone in change.removed:
            self.kept.pop(self._name(commit, gone), None)
        for moved in change.moved:
            self.kept[self._name(commit, moved)].found = moved
        for added in change.added:
            kept = Kept(tenant, commit.execution, added.subscription, ends[added.emitted_before])
            self.kept[self._name(commit, added.subscription)] = kept
            self.begun.setdefault(kept.waiting, []).append(kept.since)

    def _name(self, commit: Commit, found: Subscription) -> tuple[str, str, int, Shape]:
        return (commit.execution, found.frame, found.number, found.shape)

    def _drop(self, doomed: Callable[[Kept], bool]) -> None:
        self.kept = {name: each for name, each in self.kept.items() if not doomed(each)}

    def listens(self, execution: str) -> bool:
        """Whether an execution is subscribed."""
        return any(each.execution == execution for each in self.kept.values())

    def shapes(self, tenant: str, type: str) -> list[Shape]:
        """See ``Subscriptions``."""
        found = {
            each.found.shape: None
            for each in self.kept.values()
            if each.tenant == tenant and each.found.type in (type, "")
        }
        return sorted(found, key=str)

    def waiting(
        self, tenant: str, shape: Shape, key: str, position: int, after: Waiting | None, limit: int
    ) -> list[Waiting]:
        """See ``Subscriptions``."""
        found = [
            each.waiting
            for each in self.kept.values()
            if each.tenant == tenant
            and each.found.shape == shape
            and each.found.key in (key, "")
            and each.since < position
        ]
        return [each for each in sorted(found) if after is None or each > after][:limit]

    def count(self, tenant: str, limit: int) -> int:
        """See ``Subscriptions``."""
        return min(limit, sum(each.tenant == tenant for each in self.kept.values()))

    def read(self, after: int, limit: int, tenant: str | None = None) -> list[Arrived]:
        """Return events above a position; what all readers have passed is only hidden."""
        passed = min(self.readers.values(), default=0)
        found = self.arrived[max(after, passed) :]
        return [each for each in found if tenant in (None, each.tenant)][:limit]

    def owners(self, after: int, limit: int) -> list[tuple[int, str]]:
        """See ``Intake``."""
        return [(each.event.position, each.tenant) for each in self.read(after, limit)]


@dataclass(frozen=True, slots=True)
class MemoryIntake:
    """The ``Intake``, ``InboundEvents`` and ``Subscriptions`` ports, which never fail and are never slow."""

    events: MemoryEvents

    async def add(
        self, events: Sequence[InboundEvent], at: datetime, *, announce: bool = True
    ) -> int:
        """See ``InboundEvents``."""
        return sum([self.events.add(each, at) for each in events])

    async def read(self, after: int, limit: int, tenant: str | None = None) -> Sequence[Arrived]:
        """See ``Intake``."""
        return self.events.read(after, limit, tenant)

    async def owners(self, after: int, limit: int) -> Sequence[tuple[int, str]]:
        """See ``Intake``."""
        return self.events.owners(after, limit)

    async def end(self) -> int:
        """See ``Intake``."""
        return self.events.end

    async def load_checkpoint(self, reader: str) -> int:
        """See ``Intake``."""
        return self.events.readers.setdefault(reader, min(self.events.readers.values(), default=0))

    async def save_checkpoint(self, reader: str, position: int) -> None:
        """See ``Intake``."""
        self.events.readers[reader] = position

    async def wait(self, after: int) -> None:
        """Return at once."""

    async def shapes(self, tenant: str, type: str) -> Sequence[Shape]:
        """See ``Subscriptions``."""
        return self.events.shapes(tenant, type)

    async def waiting(
        self,
        tenant: str,
        type: str,
        shape: Shape,
        key: str,
        position: int,
        after: Waiting | None,
        limit: int,
    ) -> Sequence[Waiting]:
        """See ``Subscriptions``."""
        return self.events.waiting(tenant, shape, key, position, after, limit)

    async def count(self, tenant: str, limit: int) -> int:
        """See ``Subscriptions``."""
        return self.events.count(tenant, limit)
