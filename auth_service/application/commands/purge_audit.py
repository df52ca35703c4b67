"""PurgeAudit: what was kept long enough goes, and the chain goes on from an anchor."""

from dataclasses import dataclass
from datetime import timedelta

from auth_service.application.ports.audit import AuditTrail
from chassis.audit import Audit
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class PurgeAudit:
    """Drop entries that are older than the operator wants them."""


@dataclass(frozen=True, slots=True)
class PurgeAuditHandler:
    """Does nothing where entries are kept for ever."""

    trail: AuditTrail
    keep: timedelta | None
    audit: Audit
    clock: Clock

    async def __call__(self, command: PurgeAudit) -> None:
        if self.keep is None:
            return
        purged = await self.trail.purge(self.clock.now() - self.keep)
        if purged:
            self.audit.record("audit_purged", entries=purged, days=self.keep.days)
