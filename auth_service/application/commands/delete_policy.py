"""DeletePolicy: a policy refuses nothing any more."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.policy_changes import PolicyChanges
from auth_service.application.ports import Audit
from auth_service.application.ports.policies import Policies


@dataclass(frozen=True, slots=True)
class DeletePolicy:
    """Its versions stay, to look at and to go back to."""

    actor: Actor
    name: str


@dataclass(frozen=True, slots=True)
class DeletePolicyHandler:
    """Raises `PolicyNotFound`."""

    policies: Policies
    changes: PolicyChanges
    audit: Audit

    async def __call__(self, command: DeletePolicy) -> None:
        actor = command.actor
        await self.policies.delete(command.name, self.changes.by(actor))
        self.audit.record(
            "policy_deleted", tenant=actor.tenant, actor=actor.id, target=command.name
        )
