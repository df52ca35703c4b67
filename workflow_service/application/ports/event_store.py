"""Where histories are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from workflow_service.application.ports.histories import (
    Commit,
    Head,
    OpenExecution,
    Recorded,
    Stored,
)


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
        """Return events in order, those with a sequence above *after*; none at the end only.

        There are *limit* at the most, and fewer when they are large, so that what they take in memory is bounded.
        """
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
