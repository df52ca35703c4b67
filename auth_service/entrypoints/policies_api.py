"""Policies over gRPC: translate in, call one use case, translate out."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeAlias, TypeVar

import grpc
import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.app import Application
from auth_service.application.commands.delete_policy import DeletePolicy
from auth_service.application.commands.put_policy import PutPolicy
from auth_service.application.commands.roll_back_policy import RollBackPolicy
from auth_service.application.queries.explain_decision import (
    ExplainDecision,
    Explanation,
    PolicyVerdict,
)
from auth_service.application.queries.get_policies import GetPolicies, GetPolicyVersions
from auth_service.application.queries.watch_policies import WatchPolicies
from auth_service.domain.errors import InputInvalid
from auth_service.domain.policies import PolicyDraft, PolicyVersion
from auth_service.entrypoints.policy_feed import told
from auth_service.entrypoints.roles_api import current_actor
from chassis.errors import FieldProblem
from chassis.policies.model import Effect, Mode
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer, ServiceOnly
from protos.auth.v1 import policies_pb2 as pb
from protos.auth.v1 import policies_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Choice = TypeVar("_Choice", Effect, Mode)

_SERVICE = "/autoworker.auth.v1.PolicyService"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/ListPolicies": "policies:read",
    f"{_SERVICE}/ListPolicyVersions": "policies:read",
    f"{_SERVICE}/PutPolicy": "policies:write",
    f"{_SERVICE}/RollBackPolicy": "policies:write",
    f"{_SERVICE}/DeletePolicy": "policies:write",
    f"{_SERVICE}/ExplainDecision": "policies:read",
    f"{_SERVICE}/WatchPolicies": ServiceOnly(),
}
"""Who may call what."""


class PoliciesApi(policies_pb2_grpc.PolicyServiceServicer):
    """PolicyService of protos/auth/v1/policies.proto."""

    def __init__(self, app: Application) -> None:
        self._policies = app.policies

    async def ListPolicies(  # noqa: N802
        self, request: pb.ListPoliciesRequest, context: _Context
    ) -> pb.ListPoliciesResponse:
        """Every policy in force."""
        current = await self._policies.get(GetPolicies(current_call().principal.tenant))
        return pb.ListPoliciesResponse(policies=[_policy(each) for each in current])

    async def ListPolicyVersions(  # noqa: N802
        self, request: pb.ListPolicyVersionsRequest, context: _Context
    ) -> pb.ListPolicyVersionsResponse:
        """What a policy has been."""
        query = GetPolicyVersions(current_call().principal.tenant, request.name)
        versions = await self._policies.get_versions(query)
        return pb.ListPolicyVersionsResponse(versions=[_policy(each) for each in versions])

    async def PutPolicy(  # noqa: N802
        self, request: pb.PutPolicyRequest, context: _Context
    ) -> pb.PutPolicyResponse:
        """What a policy is from now on."""
        command = PutPolicy(current_actor(), _draft(request.policy), request.create)
        return pb.PutPolicyResponse(policy=_policy(await self._policies.put(command)))

    async def RollBackPolicy(  # noqa: N802
        self, request: pb.RollBackPolicyRequest, context: _Context
    ) -> pb.RollBackPolicyResponse:
        """A policy is what it was."""
        command = RollBackPolicy(current_actor(), request.name, request.version)
        return pb.RollBackPolicyResponse(policy=_policy(await self._policies.roll_back(command)))

    async def DeletePolicy(  # noqa: N802
        self, request: pb.DeletePolicyRequest, context: _Context
    ) -> pb.DeletePolicyResponse:
        """A policy goes."""
        await self._policies.delete(DeletePolicy(current_actor(), request.name))
        return pb.DeletePolicyResponse()

    async def ExplainDecision(  # noqa: N802
        self, request: pb.ExplainDecisionRequest, context: _Context
    ) -> pb.ExplainDecisionResponse:
        """Why somebody may do something, or may not."""
        query = ExplainDecision(
            tenant=current_call().principal.tenant,
            action=request.action,
            principal=_object("principal", request.principal),
            resource=_object("resource", request.resource),
            context=_object("context", request.context),
        )
        return _explanation(await self._policies.explain(query))

    async def WatchPolicies(  # noqa: N802
        self, request: pb.WatchPoliciesRequest, context: _Context
    ) -> AsyncIterator[pb.WatchPoliciesResponse]:
        """What the policies are, as it happens."""
        async for item in self._policies.watch(WatchPolicies()):
            tenant, policies = told(item)
            yield pb.WatchPoliciesResponse(tenant=tenant, policies=policies)


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer what *app* can do about policies."""
    server.add(policies_pb2_grpc.add_PolicyServiceServicer_to_server, PoliciesApi(app))


def _draft(policy: pb.Policy) -> PolicyDraft:
    return PolicyDraft(
        name=policy.name,
        description=policy.description.strip(),
        effect=_choice("effect", policy.effect, Effect),
        mode=_choice("mode", policy.mode or Mode.ENFORCE.value, Mode),
        actions=tuple(sorted(set(policy.actions))),
        condition=policy.condition,
    )


def _choice(field: str, given: str, choices: type[_Choice]) -> _Choice:
    try:
        return choices(given)
    except ValueError as exc:
        message = f"Must be {' or '.join(choices)}"
        raise InputInvalid([FieldProblem(field, message)]) from exc


def _object(field: str, encoded: bytes) -> Mapping[str, object]:
    try:
        return msgspec.json.decode(encoded or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as exc:
        raise InputInvalid([FieldProblem(field, "Must be an object")]) from exc


def _policy(version: PolicyVersion) -> pb.Policy:
    draft = version.draft
    created_at = Timestamp()
    created_at.FromDatetime(version.created_at)
    return pb.Policy(
        name=draft.name,
        description=draft.description,
        effect=draft.effect.value,
        mode=draft.mode.value,
        actions=draft.actions,
        condition=draft.condition,
        version=version.version,
        created_at=created_at,
        created_by=version.created_by,
        deleted=version.deleted,
    )


def _explanation(explanation: Explanation) -> pb.ExplainDecisionResponse:
    return pb.ExplainDecisionResponse(
        allowed=explanation.allowed,
        decided_by=explanation.decided_by,
        reason=explanation.reason,
        role_path=explanation.role_path,
        policies=[_verdict(each) for each in explanation.verdicts],
    )


def _verdict(judged: PolicyVerdict) -> pb.PolicyVerdict:
    verdict = judged.verdict
    policy, value = verdict.policy, verdict.answer.value
    return pb.PolicyVerdict(
        name=policy.name,
        version=policy.version,
        effect=policy.effect.value,
        mode=policy.mode.value,
        condition="error" if value is None else str(value).lower(),
        refuses=verdict.refuses,
        reason=verdict.reason,
        missing=judged.missing,
    )
