"""VerifyAudit: whether the audit trail is what was written."""

from dataclasses import dataclass, replace

from auth_service.application.ports.audit import AuditTrail, Checkpoints, Verdict
from auth_service.domain.audit import Broken, Fault


@dataclass(frozen=True, slots=True)
class VerifyAudit:
    """Go along the whole chain of a tenant, and compare it with every checkpoint."""

    tenant: str


@dataclass(frozen=True, slots=True)
class VerifyAuditHandler:
    """The verdict names the first place that does not hold."""

    trail: AuditTrail
    checkpoints: Checkpoints

    async def __call__(self, query: VerifyAudit) -> Verdict:
        checkpoints, problem = await self.checkpoints.read()
        verdict = await self.trail.verify(query.tenant, checkpoints)
        broken = verdict.broken
        if broken is None and problem:
            broken = Broken(query.tenant, 0, Fault.MARK, detail=problem)
        return replace(verdict, checkpoints=len(checkpoints), broken=broken)
