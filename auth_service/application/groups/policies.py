"""Policies: what is refused although roles allow it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from auth_service.application.commands.delete_policy import DeletePolicy
from auth_service.application.commands.put_policy import PutPolicy
from auth_service.application.commands.roll_back_policy import RollBackPolicy
from auth_service.application.queries.explain_decision import ExplainDecision, Explanation
from auth_service.application.queries.get_policies import GetPolicies, GetPolicyVersions
from auth_service.application.queries.watch_policies import TenantPolicies, WatchPolicies
from auth_service.application.queries.watch_revocations import Heartbeat
from auth_service.application.use_case import UseCase
from auth_service.domain.policies import PolicyVersion


@dataclass(frozen=True, slots=True)
class PolicyCases:
    """Changing, looking, explaining."""

    put: UseCase[PutPolicy, PolicyVersion]
    roll_back: UseCase[RollBackPolicy, PolicyVersion]
    delete: UseCase[DeletePolicy, None]
    get: UseCase[GetPolicies, Sequence[PolicyVersion]]
    get_versions: UseCase[GetPolicyVersions, Sequence[PolicyVersion]]
    explain: UseCase[ExplainDecision, Explanation]
    watch: Callable[[WatchPolicies], AsyncIterator[TenantPolicies | Heartbeat]]
