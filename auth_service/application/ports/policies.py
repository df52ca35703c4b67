"""Policies, in versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.revocations import Change
from auth_service.domain.policies import PolicyDraft, PolicyVersion
from chassis.policies.model import Policy, Rule


@dataclass(frozen=True, slots=True)
class Edit:
    """Who changes a policy, when, and what is told of it."""

    tenant: str
    actor: str
    at: datetime
    change: Change


class Policies(Protocol):
    """The policies of every tenant. Versions count up and are never lost, nor changed."""

    async def current(self, tenant: str) -> Sequence[PolicyVersion]:
        """Those in force, by name."""
        ...

    async def tenants(self) -> Sequence[str]:
        """Every tenant that has, or had, a policy."""
        ...

    async def versions(self, tenant: str, name: str) -> Sequence[PolicyVersion]:
        """Every version of a policy, newest first, its deletions among them."""
        ...

    async def put(
        self, draft: PolicyDraft, edit: Edit, *, create: bool, most: int
    ) -> PolicyVersion | None:
        """Make the next version of a policy; None when it would be as the one in force.

        Raises:
            NameTaken: it is there, and *create* says that it must not be.
            TooManyPolicies: the tenant has *most* already.
        """
        ...

    async def delete(self, name: str, edit: Edit) -> None:
        """From now on there is no such policy.

        Raises:
            PolicyNotFound: there is none now.
        """
        ...


class Conditions(Protocol):
    """Understands the conditions of policies."""

    def problem(self, condition: str) -> str | None:
        """Why *condition* cannot be used; None when it can."""
        ...

    def rule(self, policy: Policy) -> Rule:
        """The policy with its condition compiled; one that cannot be compiled refuses everything."""
        ...
