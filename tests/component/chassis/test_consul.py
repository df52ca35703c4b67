"""A registry in a real Consul that looks after real gRPC servers, dies and comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.discovery.consul import ConsulRegistry
from chassis.errors import Unavailable
from tests.support.consul import ConsulServer, consul_server
from tests.support.services import Services
from tests.support.time import eventually

PATIENCE = 40.0


@pytest.fixture
def consul() -> Iterator[ConsulServer]:
    with consul_server() as server:
        yield server


@pytest.fixture
async def registry(consul: ConsulServer) -> AsyncIterator[ConsulRegistry]:
    async with ConsulRegistry(consul.url, look_after=0.1) as registry:
        yield registry


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    services = Services()
    yield services
    await services.stop_all()


async def at(registry: ConsulRegistry, *addresses: str) -> None:
    async def there() -> bool:
        return set(await registry.resolve("auth")) == set(addresses)

    await eventually(there, within=PATIENCE)


async def test_an_instance_that_died_is_left_out(
    registry: ConsulRegistry, services: Services
) -> None:
    here, there = await services.start(), await services.start()
    await registry.register("auth", here)
    await registry.register("auth", there)
    await at(registry, here, there)

    await services.stop(there)

    await at(registry, here)


async def test_others_learn_of_an_instance_at_once(
    consul: ConsulServer, registry: ConsulRegistry, services: Services
) -> None:
    address = await services.start()
    async with ConsulRegistry(consul.url) as other:
        assert await other.resolve("auth") == ()

        await registry.register("auth", address)

        await at(other, address)


async def test_while_consul_is_away_the_last_that_was_known_counts(
    consul: ConsulServer, registry: ConsulRegistry, services: Services
) -> None:
    address = await services.start()
    await registry.register("auth", address)
    await at(registry, address)

    consul.kill()

    assert await registry.resolve("auth") == (address,)
    with pytest.raises(Unavailable):
        await registry.register("auth", "127.0.0.1:5002")
    await registry.deregister("auth", address)


async def test_a_consul_that_forgot_everything_is_told_again(
    consul: ConsulServer, registry: ConsulRegistry, services: Services
) -> None:
    address = await services.start()
    await registry.register("auth", address)
    await at(registry, address)
    consul.kill()
    consul.start()

    async with ConsulRegistry(consul.url) as newcomer:
        await at(newcomer, address)
        second = await services.start()
        await newcomer.register("auth", second)

        await at(registry, address, second)


async def test_who_listens_everywhere_is_found_where_consul_sees_it(
    registry: ConsulRegistry, services: Services
) -> None:
    address = await services.start()
    port = address.rpartition(":")[2]

    await registry.register("auth", f"0.0.0.0:{port}")

    await at(registry, address)
    await registry.deregister("auth", f"0.0.0.0:{port}")


async def test_whoever_asks_for_the_first_time_is_told_that_nobody_answers() -> None:
    async with ConsulRegistry("consul://127.0.0.1:1") as registry:
        with pytest.raises(Unavailable):
            await registry.register("auth", "127.0.0.1:5001")
