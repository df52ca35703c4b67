"""What every registry must do, run against every adapter."""

from collections.abc import AsyncIterator

import pytest

from chassis.discovery.port import Registry
from tests.contract.chassis.adapters import REGISTRIES
from tests.support.services import Services
from tests.support.time import eventually


@pytest.fixture(params=REGISTRIES)
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[Registry]:
    async with REGISTRIES[request.param]() as registry:
        yield registry


@pytest.fixture
async def places() -> AsyncIterator[tuple[str, str]]:
    """Where somebody is: Consul may look at any moment after it was told, and leaves out who does not answer."""
    services = Services()
    yield await services.start(), await services.start()
    await services.stop_all()


async def found(registry: Registry, service: str, addresses: set[str]) -> None:
    """Wait until *service* is at *addresses*; a registry in another process learns of it in a moment."""

    async def there() -> bool:
        return set(await registry.resolve(service)) == addresses

    await eventually(there)


async def test_a_registered_service_is_found(registry: Registry, places: tuple[str, str]) -> None:
    await registry.register("auth", places[0])
    await found(registry, "auth", {places[0]})


async def test_a_service_may_be_in_several_places(
    registry: Registry, places: tuple[str, str]
) -> None:
    await registry.register("auth", places[0])
    await registry.register("auth", places[1])
    await found(registry, "auth", {places[0], places[1]})


async def test_registering_twice_changes_nothing(
    registry: Registry, places: tuple[str, str]
) -> None:
    await registry.register("auth", places[0])
    await registry.register("auth", places[0])
    await found(registry, "auth", {places[0]})


async def test_services_are_kept_apart(registry: Registry, places: tuple[str, str]) -> None:
    await registry.register("auth", places[0])
    await found(registry, "workflow", set())


async def test_a_deregistered_address_is_gone_and_the_others_stay(
    registry: Registry, places: tuple[str, str]
) -> None:
    await registry.register("auth", places[0])
    await registry.register("auth", places[1])
    await registry.deregister("auth", places[0])
    await found(registry, "auth", {places[1]})


async def test_deregistering_what_is_not_there_changes_nothing(
    registry: Registry, places: tuple[str, str]
) -> None:
    await registry.deregister("auth", places[0])
    await found(registry, "auth", set())
