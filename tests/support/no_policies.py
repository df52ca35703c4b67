"""An auth service that has no policies, for tests that play it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from protos.auth.v1 import policies_pb2 as pb
from protos.auth.v1.policies_pb2_grpc import (
    PolicyServiceServicer,
    add_PolicyServiceServicer_to_server,
)

__all__ = ["NoPolicies", "add_PolicyServiceServicer_to_server", "policy_methods"]


class NoPolicies(PolicyServiceServicer):
    """Tells of its life, and of no policy."""

    async def WatchPolicies(  # noqa: N802
        self, request: pb.WatchPoliciesRequest, context: Any
    ) -> AsyncIterator[pb.WatchPoliciesResponse]:
        """A sign of life, again and again."""
        while True:
            yield pb.WatchPoliciesResponse()
            await asyncio.sleep(0.2)


def policy_methods() -> list[str]:
    """The full names of its methods."""
    service = pb.DESCRIPTOR.services_by_name["PolicyService"]
    return [f"/{service.full_name}/{each.name}" for each in service.methods]
