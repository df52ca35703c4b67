"""PutPolicy: a tenant says what is refused although roles allow it."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.policy_changes import PolicyChanges
from auth_service.application.ports import Audit
from auth_service.application.ports.policies import Conditions, Policies
from auth_service.domain.access_errors import PolicyNotFound
from auth_service.domain.errors import InputInvalid
from auth_service.domain.policies import (
    MAX_POLICIES,
    PolicyDraft,
    PolicyVersion,
    policy_problems,
)
from chassis.errors import FieldProblem


@dataclass(frozen=True, slots=True)
class PutPolicy:
    """Make or change a policy. *create*: there must not be one yet."""

    actor: Actor
    draft: PolicyDraft
    create: bool = False


@dataclass(frozen=True, slots=True)
class PutPolicyHandler:
    """Raises `InputInvalid`, `NameTaken`, `TooManyPolicies`. What is in force already stays."""

    policies: Policies
    conditions: Conditions
    changes: PolicyChanges
    audit: Audit

    async def __call__(self, command: PutPolicy) -> PolicyVersion:
        draft, actor = command.draft, command.actor
        self._check(draft)
        put = await self.policies.put(
            draft, self.changes.by(actor), create=command.create, most=MAX_POLICIES
        )
        if put is not None:
            self.audit.record(
                "policy_put",
                tenant=actor.tenant,
                actor=actor.id,
                target=draft.name,
                version=put.version,
                effect=draft.effect.value,
                mode=draft.mode.value,
            )
            return put
        return await self._in_force(actor.tenant, draft.name)

    def _check(self, draft: PolicyDraft) -> None:
        problems = list(policy_problems(draft))
        wrong = self.conditions.problem(draft.condition)
        if wrong is not None:
            problems.append(FieldProblem("condition", wrong))
        if problems:
            raise InputInvalid(problems)

    async def _in_force(self, tenant: str, name: str) -> PolicyVersion:
        for version in await self.policies.current(tenant):
            if version.draft.name == name:
                return version
        raise PolicyNotFound(name)
