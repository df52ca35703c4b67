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
    await timed.adapter.set("key", bytes(range(256)), ttl=1_000)
    assert await timed.adapter.get("key") == bytes(range(256))


async def test_an_empty_value_is_a_value(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"", ttl=1_000)
    assert await timed.adapter.get("key") == b""


async def test_what_was_never_set_is_not_there(timed: Timed[Cache]) -> None:
    assert await timed.adapter.get("nothing") is None


async def test_a_new_value_takes_the_place_of_the_old_one(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"old", ttl=1_000)
    await timed.adapter.set("key", b"new", ttl=1_000)
    assert await timed.adapter.get("key") == b"new"


async def test_a_value_expires(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=100)
    timed.advance(50)
    assert await timed.adapter.get("key") == b"value"
    timed.advance(60)
    assert await timed.adapter.get("key") is None


async def test_setting_again_starts_the_time_anew(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=100)
    timed.advance(80)
    await timed.adapter.set("key", b"value", ttl=100)
    timed.advance(80)
    assert await timed.adapter.get("key") == b"value"


async def test_a_deleted_value_is_gone_and_deleting_nothing_is_fine(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=1_000)
    await timed.adapter.delete("key")
    await timed.adapter.delete("key")
    assert await timed.adapter.get("key") is None


async def test_a_tag_takes_all_its_values_with_it_and_no_other(timed: Timed[Cache]) -> None:
    cache = timed.adapter
    await cache.set("one", b"1", ttl=1_000, since=await cache.moment("red", "round"))
    await cache.set("two", b"2", ttl=1_000, since=await cache.moment("red"))
    await cache.set("three", b"3", ttl=1_000, since=await cache.moment("round"))
    await cache.set("four", b"4", ttl=1_000)

    await cache.invalidate("red")

    assert [await cache.get(key) for key in ("one", "two", "three", "four")] == [
        None, None, b"3", b"4",
    ]  # fmt: skip


async def test_values_that_were_read_go_with_their_tag_as_well(timed: Timed[Cache]) -> None:
    cache = timed.adapter
    await cache.set("key", b"value", ttl=1_000, since=await cache.moment("red"))
    for _ in range(3):
        assert await cache.get("key") == b"value"

    await cache.invalidate("red")

    assert await cache.get("key") is None


async def test_an_invalidation_counts_for_a_value_that_is_still_being_worked_out(
    timed: Timed[Cache],
) -> None:
    cache = timed.adapter
    begun = await cache.moment("red")
    await cache.invalidate("red")
    await cache.set("key", b"too late", ttl=1_000, since=begun)
    assert await cache.get("key") is None

    await cache.set("key", b"new", ttl=1_000, since=await cache.moment("red"))
    assert await cache.get("key") == b"new"


async def test_invalidating_what_nobody_bears_is_fine(timed: Timed[Cache]) -> None:
    await timed.adapter.set("key", b"value", ttl=1_000)
    await timed.adapter.invalidate("nobody's")
    assert await timed.adapter.get("key") == b"value"


async def test_a_value_of_a_lower_fence_does_not_take_the_place_of_one_of_a_higher(
    timed: Timed[Cache],
) -> None:
    cache = timed.adapter
    await cache.set("key", b"of the second", ttl=1_000, fence=1_800_000_000_000_002)
    await cache.set("key", b"of the first", ttl=1_000, fence=1_800_000_000_000_001)
    assert await cache.get("key") == b"of the second"

    await cache.set("key", b"of the third", ttl=1_000, fence=1_800_000_000_000_003)
    assert await cache.get("key") == b"of the third"


async def test_any_text_is_a_key_and_a_tag(timed: Timed[Cache]) -> None:
    cache = timed.adapter
    for name in ("", " a b ", "ü\n", "x" * 10_000, "\udc80"):
        await cache.set(name, name.encode(errors="replace"), 1_000, since=await cache.moment(name))
        assert await cache.get(name) == name.encode(errors="replace")
        await cache.invalidate(name)
        assert await cache.get(name) is None
