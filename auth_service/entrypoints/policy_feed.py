"""The feed of policies: for other services, and for this one's own decisions."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable

from auth_service.application.queries.watch_policies import TenantPolicies, WatchPolicies
from auth_service.application.queries.watch_revocations import Heartbeat
from chassis.policies.feed import Feed, Told, encode


def told(item: TenantPolicies | Heartbeat) -> Told:
    """*item* as it travels."""
    match item:
        case Heartbeat():
            return Told()
        case TenantPolicies(tenant, policies):
            return Told(tenant, encode(list(policies)))


def local(watch: Callable[[WatchPolicies], AsyncIterator[TenantPolicies | Heartbeat]]) -> Feed:
    """The feed without a detour through the network."""

    async def feed() -> AsyncGenerator[Told, None]:
        async for item in watch(WatchPolicies()):
            yield told(item)

    return feed
