"""GetPolicies, GetPolicyVersions: what policies there are, and were."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.ports.policies import Policies
from auth_service.domain.access_errors import PolicyNotFound
from auth_service.domain.policies import PolicyVersion


@dataclass(frozen=True, slots=True)
class GetPolicies:
    """Those of the tenant that are in force."""

    tenant: str


@dataclass(frozen=True, slots=True)
class GetPolicyVersions:
    """Every version of one policy, newest first."""

    tenant: str
    name: str


@dataclass(frozen=True, slots=True)
class GetPoliciesHandler:
    """By name."""

    policies: Policies

    async def __call__(self, query: GetPolicies) -> Sequence[PolicyVersion]:
        return await self.policies.current(query.tenant)


@dataclass(frozen=True, slots=True)
class GetPolicyVersionsHandler:
    """Raises `PolicyNotFound`."""

    policies: Policies

    async def __call__(self, query: GetPolicyVersions) -> Sequence[PolicyVersion]:
        versions = await self.policies.versions(query.tenant, query.name)
        if not versions:
            raise PolicyNotFound(query.name)
        return versions
