"""The policies of every tenant, from the auth service."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from chassis.policies.feed import Feed, Told
from chassis.rpc.client import RpcClient
from chassis.rpc.listening import FEED_SILENCE
from protos.auth.v1 import policies_pb2 as pb
from protos.auth.v1.policies_pb2_grpc import PolicyServiceStub

_Responses = AsyncGenerator[pb.WatchPoliciesResponse, None]


def policy_feed(auth: RpcClient) -> Feed:
    """Their feed, by an entered client of the auth service."""

    async def feed() -> AsyncGenerator[Told, None]:
        method = PolicyServiceStub(auth.channel).WatchPolicies
        request = pb.WatchPoliciesRequest()
        responses = cast("_Responses", auth.stream(method, request, silence=FEED_SILENCE))
        async with aclosing(responses):
            async for response in responses:
                yield Told(response.tenant, response.policies)

    return feed
