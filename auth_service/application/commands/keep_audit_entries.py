"""KeepAuditEntries: what another service tells becomes a part of the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from auth_service.application.ports.audit import AuditTrail
from chassis.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class KeepAuditEntries:
    """Keep *entries*, told by *source*; those that are there already change nothing."""

    source: str
    entries: Sequence[AuditEntry]


@dataclass(frozen=True, slots=True)
class KeepAuditEntriesHandler:
    """No service can speak for another one."""

    trail: AuditTrail

    async def __call__(self, command: KeepAuditEntries) -> None:
        await self.trail.keep([replace(entry, source=command.source) for entry in command.entries])
