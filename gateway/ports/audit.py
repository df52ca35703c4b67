"""The audit trail: looked at, exported and verified."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest


class AuditEntry(Struct, frozen=True):
    """One thing that happened."""

    id: str
    sequence: int
    """Its place in the tenant's chain; there are no gaps."""
    time: datetime | None
    tenant: str
    source: str
    """The service that told it."""
    action: str
    outcome: str
    """`done` or `refused`."""
    actor: str
    """Id of who did it; empty when nobody knows."""
    target: str
    address: str
    reason: str
    request_id: str
    data: Raw
    """The event's own facts."""
    erased: bool
    """Whether what it said about somebody has been erased."""
    previous: str
    """The hash of the entry before it."""
    hash: str


class BrokenPlace(Struct, frozen=True):
    """The first place at which a chain does not hold."""

    sequence: int
    fault: Literal["edited", "missing", "cut_off", "replaced", "mark"]
    entry_id: str
    detail: str


class AuditVerdict(Struct, frozen=True):
    """What a verification found."""

    intact: bool
    entries: int
    """How many were gone over."""
    first: int
    last: int
    erased: int
    """How many of them have had what they said about somebody erased."""
    checkpoints: int
    """How many checkpoints they were compared with."""
    broken: BrokenPlace | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; what is empty or None admits all."""

    actor: str = ""
    action: str = ""
    target: str = ""
    outcome: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Audit(Protocol):
    """The audit trail of the caller's tenant."""

    async def entries(
        self, caller: Caller, wanted: AuditFilter, page: PageRequest
    ) -> Page[AuditEntry]:
        """Those that are wanted, newest first."""

    def every(
        self, caller: Caller, wanted: AuditFilter
    ) -> AsyncGenerator[Sequence[AuditEntry], None]:
        """All of them, some at a time."""

    async def verify(self, caller: Caller) -> AuditVerdict:
        """Whether the whole chain is what was written."""
