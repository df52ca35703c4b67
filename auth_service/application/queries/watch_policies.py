"""WatchPolicies: every replica of every service learns what the policies are."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from auth_service.application.ports import Revocation, RevocationKind, Revocations
from auth_service.application.ports.policies import Policies
from auth_service.application.queries.watch_revocations import HEARTBEAT, Heartbeat
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.policies.model import Policy

_PAGE = 500
_ASLEEP = 30.0
"""Seconds between two looks after which entries of the feed may have been dropped unseen."""


@dataclass(frozen=True, slots=True)
class WatchPolicies:
    """All policies of every tenant, a sign of life, then those of tenants where they change."""


@dataclass(frozen=True, slots=True)
class TenantPolicies:
    """All policies of one tenant."""

    tenant: str
    policies: Sequence[Policy]


@dataclass(frozen=True, slots=True)
class WatchPoliciesHandler:
    """Says `Heartbeat` after every look, like the feed of revocations, by which it learns of changes.

    Raises `Unavailable` when this process was asleep for so long that it may have missed some:
    whoever watches begins anew.
    """

    policies: Policies
    revocations: Revocations
    clock: Clock
    heartbeat: float = HEARTBEAT

    async def __call__(self, query: WatchPolicies) -> AsyncIterator[TenantPolicies | Heartbeat]:
        # The place in the feed first: what changes while everything is read is told again.
        position = await self._end_of_feed()
        for tenant in await self.policies.tenants():
            yield await self._of(tenant)
        while True:
            looked = self.clock.monotonic()
            yield Heartbeat()
            await self.revocations.wait(position, seconds=self.heartbeat)
            if self.clock.monotonic() - looked > _ASLEEP:
                raise Unavailable("Changes may have been missed; watch anew")
            known = self.revocations.known()
            while page := await self._after(position):
                position = page[-1].position
                for tenant in {
                    entry.change.subject
                    for entry in page
                    if entry.change.kind is RevocationKind.POLICY
                }:
                    yield await self._of(tenant)
            position = max(position, known)

    async def _end_of_feed(self) -> int:
        position, known = 0, self.revocations.known()
        while page := await self._after(position):
            position = page[-1].position
        return max(position, known)

    async def _after(self, position: int) -> Sequence[Revocation]:
        return await self.revocations.after(position, now=self.clock.now(), limit=_PAGE)

    async def _of(self, tenant: str) -> TenantPolicies:
        current = await self.policies.current(tenant)
        return TenantPolicies(tenant, [version.policy for version in current])
