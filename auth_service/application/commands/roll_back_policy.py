"""RollBackPolicy: a policy becomes again what it was, as a version of its own."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.commands.put_policy import PutPolicy
from auth_service.application.ports.policies import Policies
from auth_service.application.use_case import UseCase
from auth_service.domain.access_errors import PolicyNotFound
from auth_service.domain.policies import PolicyVersion


@dataclass(frozen=True, slots=True)
class RollBackPolicy:
    """Take up what the policy said in *version*, also when it was deleted since."""

    actor: Actor
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class RollBackPolicyHandler:
    """Raises `PolicyNotFound`, and what `PutPolicy` raises."""

    policies: Policies
    put: UseCase[PutPolicy, PolicyVersion]

    async def __call__(self, command: RollBackPolicy) -> PolicyVersion:
        for known in await self.policies.versions(command.actor.tenant, command.name):
            if known.version == command.version and not known.deleted:
                return await self.put(PutPolicy(command.actor, known.draft))
        raise PolicyNotFound(command.name, command.version)
