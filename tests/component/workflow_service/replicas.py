"""Processes of the service, as far as what they fetch is concerned, on one Redis."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chassis.caching.opening import Caches, caches_at
from chassis.clock import SystemClock
from chassis.crypto.key_file import ephemeral
from chassis.crypto.safe import Safe
from tests.component.workflow_service.egress.conftest import names
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressLimits, EgressRequest
from workflow_service.adapters.resources import ExternalResources
from workflow_service.domain.execution.credentials import Credentials


@dataclass(frozen=True)
class Replica:
    """One process."""

    egress: AuthenticatedEgress
    resources: ExternalResources
    caches: Caches

    async def status(self, url: str, credentials: Credentials) -> int:
        """What a call of *url* is answered with."""
        request = EgressRequest("GET", url)
        return (await self.egress.send(request, credentials, tenant="t")).status


@asynccontextmanager
async def replicas(url: str, number: int) -> AsyncIterator[list[Replica]]:
    """Return *number* processes that share the Redis at *url*, and the operator's key."""
    safe, clock = Safe(ephemeral(), "shared cache"), SystemClock()
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(number):
            # More patience than a busy machine takes.
            shared = caches_at(url, clock, safe, patience=20.0)
            caches = await stack.enter_async_context(shared)
            limits = EgressLimits(total_timeout=30.0)
            client = EgressClient(allow=["127.0.0.1"], lookup=names(), limits=limits)
            egress = AuthenticatedEgress(await stack.enter_async_context(client), caches=caches)
            made.append(Replica(egress, ExternalResources(egress, caches=caches), caches))
        yield made
