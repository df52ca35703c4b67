"""The suite's own doors are known, also those on ephemeral ports."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.discovery.static import StaticRegistry
from chassis.errors import Unavailable
from workflow_service.adapters.own_addresses import OwnAddresses


async def test_what_is_configured_added_and_registered_is_ours() -> None:
    registry = StaticRegistry()
    own = OwnAddresses(registry, ["127.0.0.1:8080"])
    await registry.register("auth", "127.0.0.1:41234")
    own.add("127.0.0.1:9102")

    await own.refresh()

    assert set(own()) == {"127.0.0.1:8080", "127.0.0.1:9102", "127.0.0.1:41234"}


class Away(StaticRegistry):
    """A registry that can be away."""

    gone = False

    async def resolve(self, service: str) -> Sequence[str]:
        if self.gone:
            raise Unavailable("the registry is away")
        return await super().resolve(service)


async def test_a_registry_that_is_away_takes_nothing_back() -> None:
    registry = Away({"auth": "127.0.0.1:50051"})
    own = OwnAddresses(registry, [])
    await own.refresh()

    registry.gone = True
    await own.refresh()

    assert own() == ("127.0.0.1:50051",)
