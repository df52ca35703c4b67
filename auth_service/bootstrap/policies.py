"""Policies, put together."""

from auth_service.adapters.conditions import CelConditions
from auth_service.application.commands.delete_policy import DeletePolicyHandler
from auth_service.application.commands.put_policy import PutPolicyHandler
from auth_service.application.commands.roll_back_policy import RollBackPolicyHandler
from auth_service.application.groups.policies import PolicyCases
from auth_service.application.policy_changes import PolicyChanges
from auth_service.application.queries.explain_decision import ExplainDecisionHandler
from auth_service.application.queries.get_policies import (
    GetPoliciesHandler,
    GetPolicyVersionsHandler,
)
from auth_service.application.queries.watch_policies import WatchPoliciesHandler
from auth_service.bootstrap.foundation import Foundation
from chassis.handlers import wrap


def policies(base: Foundation, heartbeat: float) -> PolicyCases:
    """All of it; *heartbeat* is the feed's, in seconds."""
    stored, conditions, world = base.stores.policies, CelConditions(), base.world
    changes = PolicyChanges(base.settings.sessions, world.clock)
    put = wrap(PutPolicyHandler(stored, conditions, changes, world.audit), name="auth.put_policy")
    explain = ExplainDecisionHandler(base.stores.users, base.books, stored, conditions, world.clock)
    delete = DeletePolicyHandler(stored, changes, world.audit)
    return PolicyCases(
        put=put,
        roll_back=wrap(RollBackPolicyHandler(stored, put), name="auth.roll_back_policy"),
        delete=wrap(delete, name="auth.delete_policy"),
        get=wrap(GetPoliciesHandler(stored), name="auth.get_policies"),
        get_versions=wrap(GetPolicyVersionsHandler(stored), name="auth.get_policy_versions"),
        explain=wrap(explain, name="auth.explain_decision"),
        watch=WatchPoliciesHandler(stored, base.stores.revocations, world.clock, heartbeat),
    )
