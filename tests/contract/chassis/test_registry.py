"""What every registry must do, run against every adapter."""

from collections.abc import AsyncIterator

import pytest

from chassis.discovery.port import Registry
from tests.contract.chassis.adapters import REGISTRIES
from tests.support.time import eventually


@pytest.fixture(params=REGISTRIES)
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[Registry]:
    async with REGISTRIES[request.param]() as registry:
        yield registry


async def found(registry: Registry, service: str, addresses: set[str]) -> None:
    """Wait until *service* is at *addresses*; a registry in another process learns of it in a moment."""

    async def there() -> bool:
        return set(await registry.resolve(service)) == addresses

    await eventually(there)


async def test_a_registered_service_is_found(registry: Registry) -> None:
    await registry.register("auth", "127.0.0.1:5001")
    await found(registry, "auth", {"127.0.0.1:5001"})


async def test_a_service_may_be_in_several_places(registry: Registry) -> None:
    await registry.register("auth", "127.0.0.1:5001")
    await registry.register("auth", "127.0.0.1:5002")
    await found(registry, "auth", {"127.0.0.1:5001", "127.0.0.1:5002"})


async def test_registering_twice_changes_nothing(registry: Registry) -> None:
    await registry.register("auth", "127.0.0.1:5001")
    await registry.register("auth", "127.0.0.1:5001")
    await found(registry, "auth", {"127.0.0.1:5001"})


async def test_services_are_kept_apart(registry: Registry) -> None:
    await registry.register("auth", "127.0.0.1:5001")
    await found(registry, "workflow", set())


async def test_a_deregistered_address_is_gone_and_the_others_stay(registry: Registry) -> None:
    await registry.register("auth", "127.0.0.1:5001")
    await registry.register("auth", "127.0.0.1:5002")
    await registry.deregister("auth", "127.0.0.1:5001")
    await found(registry, "auth", {"127.0.0.1:5002"})


async def test_deregistering_what_is_not_there_changes_nothing(registry: Registry) -> None:
    await registry.deregister("auth", "127.0.0.1:5001")
    await found(registry, "auth", set())
