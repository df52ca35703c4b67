"""Policies at the auth service, over gRPC."""

from typing import Final

from chassis.errors import NotFound
from chassis.rpc.client import RpcClient
from gateway.adapters.pages import page_by_name
from gateway.adapters.times import moment
from gateway.ports import (
    Caller,
    Explained,
    NewPolicy,
    Page,
    PageRequest,
    Policy,
    Question,
    Verdict,
)
from protos.auth.v1 import policies_pb2 as pb
from protos.auth.v1.policies_pb2_grpc import PolicyServiceStub

_MOST: Final = 2**31


class PoliciesOverGrpc:
    """Implements the port `Policies`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = PolicyServiceStub(client.channel)

    async def policies(self, caller: Caller, page: PageRequest) -> Page[Policy]:
        """See `Policies.policies`."""
        return page_by_name(await self._all(caller), lambda policy: policy.name, page)

    async def policy(self, caller: Caller, name: str) -> Policy:
        """See `Policies.policy`."""
        for policy in await self._all(caller):
            if policy.name == name:
                return policy
        raise NotFound(f"There is no policy {name}")

    async def policy_versions(self, caller: Caller, name: str, page: PageRequest) -> Page[Policy]:
        """See `Policies.policy_versions`."""
        request = pb.ListPolicyVersionsRequest(name=name)
        response = await self._call(self._stub.ListPolicyVersions, request, token=caller.credential)
        versions = [_policy(each) for each in response.versions]
        return page_by_name(versions, _newest_first, page)

    async def put_policy(self, caller: Caller, policy: NewPolicy, *, create: bool) -> Policy:
        """See `Policies.put_policy`."""
        wanted = pb.Policy(
            name=policy.name,
            description=policy.description,
            effect=policy.effect,
            mode=policy.mode,
            actions=policy.actions,
            condition=policy.condition,
        )
        request = pb.PutPolicyRequest(policy=wanted, create=create)
        response = await self._call(self._stub.PutPolicy, request, token=caller.credential)
        return _policy(response.policy)

    async def roll_back_policy(self, caller: Caller, name: str, version: int) -> Policy:
        """See `Policies.roll_back_policy`."""
        request = pb.RollBackPolicyRequest(name=name, version=version)
        response = await self._call(self._stub.RollBackPolicy, request, token=caller.credential)
        return _policy(response.policy)

    async def delete_policy(self, caller: Caller, name: str) -> None:
        """See `Policies.delete_policy`."""
        request = pb.DeletePolicyRequest(name=name)
        await self._call(self._stub.DeletePolicy, request, token=caller.credential)

    async def explain(self, caller: Caller, question: Question) -> Explained:
        """See `Policies.explain`."""
        request = pb.ExplainDecisionRequest(
            action=question.action,
            principal=bytes(question.principal),
            resource=bytes(question.resource),
            context=bytes(question.context),
        )
        response = await self._call(self._stub.ExplainDecision, request, token=caller.credential)
        return Explained(
            allowed=response.allowed,
            decided_by=response.decided_by,
            reason=response.reason,
            role_path=list(response.role_path),
            policies=[_verdict(each) for each in response.policies],
        )

    async def _all(self, caller: Caller) -> list[Policy]:
        response = await self._call(
            self._stub.ListPolicies, pb.ListPoliciesRequest(), token=caller.credential
        )
        return [_policy(each) for each in response.policies]


def _newest_first(policy: Policy) -> str:
    """A cursor by which the newest version comes first."""
    return f"{_MOST - policy.version:010}"


def _policy(policy: pb.Policy) -> Policy:
    return Policy(
        name=policy.name,
        description=policy.description,
        effect=policy.effect,
        mode=policy.mode,
        actions=list(policy.actions),
        condition=policy.condition,
        version=policy.version,
        created_at=moment(policy.created_at),
        created_by=policy.created_by,
        deleted=policy.deleted,
    )


def _verdict(verdict: pb.PolicyVerdict) -> Verdict:
    return Verdict(
        name=verdict.name,
        version=verdict.version,
        effect=verdict.effect,
        mode=verdict.mode,
        condition=verdict.condition,
        refuses=verdict.refuses,
        reason=verdict.reason,
        missing=list(verdict.missing),
    )
