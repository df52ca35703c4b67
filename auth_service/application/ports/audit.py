"""What the audit trail needs from the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.domain.audit import Broken, Place
from chassis.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries of a tenant are wanted; what is empty or None admits all."""

    tenant: str
    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None
    """Before this moment."""


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry as it is kept."""

    entry: AuditEntry
    sequence: int
    erased: bool
    """Whether what it said about somebody has been erased."""
    previous: bytes
    link: bytes


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far every chain had come at a moment."""

    at: datetime
    places: tuple[tuple[str, Place], ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: the entries *first* to *last*, and where the chain breaks, if it does."""

    tenant: str
    entries: int
    first: int
    last: int
    erased: int
    broken: Broken | None
    checkpoints: int = 0


class AuditTrail(Protocol):
    """The entries of every tenant, in one chain each."""

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """Append those of *entries* that are not there yet, in this order."""
        ...

    async def find(
        self, wanted: AuditFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptEntry]:
        """Those that are wanted, newest first; *before* is a sequence to go on below."""
        ...

    async def verify(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        """Go along the whole chain of *tenant*; it may grow meanwhile."""
        ...

    async def checkpoint(self) -> Sequence[tuple[str, Place]]:
        """How far each chain has come."""
        ...

    async def purge(self, before: datetime) -> int:
        """Drop entries that are older, and anchor each chain behind them; how many were dropped."""
        ...


class Checkpoints(Protocol):
    """Where checkpoints are written: apart from the trail."""

    async def write(self, checkpoint: Checkpoint) -> None:
        """Add *checkpoint*, proved by the key of checkpoints, durably.

        Raises:
            Unavailable: it cannot be written now.
        """
        ...

    async def read(self) -> tuple[Sequence[Checkpoint], str]:
        """All of them, oldest first, and what is wrong with the first that is not ours ("": nothing)."""
        ...
