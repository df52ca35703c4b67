"""What every cache must do, run against every adapter."""

from collections.abc import AsyncIterator

import pytest

from chassis.caching.port import Cache
from tests.contract.chassis.adapters import CACHES, Timed


@pytest.fixture(params=CACHES)
async def timed(request: pytest.FixtureRequest) -> AsyncIterator[Timed[Cache]]:
    async with CACHES[request.param]() as timed:
        yield timed


async def test_a_value_comes_back_byte_for_byte(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", bytes(range(256)), ttl=10)
    assert await timed.adapter.get("key") == bytes(range(256))


async def test_an_empty_value_is_a_value(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"", ttl=10)
    assert await timed.adapter.get("key") == b""


async def test_what_was_never_set_is_not_there(timed: Timed[Cache]) -> None:
    assert await timed.adapter.get("nothing") is None


async def test_a_new_value_takes_the_place_of_the_old_one(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"old", ttl=10)
    await timed.adapter.set("key", b"new", ttl=10)
    assert await timed.adapter.get("key") == b"new"


async def test_a_value_expires(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=1)
    timed.advance(0.5)
    assert await timed.adapter.get("key") == b"value"
    timed.advance(0.6)
    assert await timed.adapter.get("key") is None


async def test_setting_again_starts_the_time_anew(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=1)
    timed.advance(0.8)
    await timed.adapter.set("key", b"value", ttl=1)
    timed.advance(0.8)
    assert await timed.adapter.get("key") == b"value"


async def test_a_deleted_value_is_gone_and_deleting_nothing_is_fine(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=10)
    await timed.adapter.delete("key")
    await timed.adapter.delete("key")
    assert await timed.adapter.get("key") is None
