"""CheckpointAudit: how far the chains have come is written elsewhere."""

from dataclasses import dataclass, field

from auth_service.application.ports.audit import AuditTrail, Checkpoint, Checkpoints
from auth_service.domain.audit import Place
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class CheckpointAudit:
    """Write a checkpoint of every chain that has grown since the last one."""


@dataclass(frozen=True, slots=True)
class CheckpointAuditHandler:
    """What is cut off an audit trail after its checkpoint is found out."""

    trail: AuditTrail
    checkpoints: Checkpoints
    clock: Clock
    written: dict[str, Place] = field(default_factory=dict)

    async def __call__(self, command: CheckpointAudit) -> None:
        places = await self.trail.checkpoint()
        grown = tuple(
            (tenant, place) for tenant, place in places if self.written.get(tenant) != place
        )
        if grown:
            await self.checkpoints.write(Checkpoint(self.clock.now(), grown))
            self.written.update(grown)
