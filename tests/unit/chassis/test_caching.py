import asyncio
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.caching.memory import MemoryLimits
from chassis.caching.memory_cache import MemoryCache
from chassis.caching.port import LimitPolicy
from tests.support.time import ManualClock

policies = st.builds(
    LimitPolicy,
    st.just("p"),
    quota=st.integers(1, 50),
    window=st.sampled_from([0.5, 1.0, 3.0, 60.0]),
    burst=st.none() | st.integers(1, 20),
)
# Pauses in whole milliseconds, so that sums are exact.
steps = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 3)), max_size=60)


def run(policy: LimitPolicy, script: list[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """(time in ms, cost, allowed) of each step of *script*."""

    async def play() -> list[tuple[int, int, bool]]:
        clock, seen, now = ManualClock(), [], 0
        limits = MemoryLimits(clock)
        for pause, cost in script:
            now += pause
            clock._monotonic = 1_000 + now / 1_000
            price = min(cost, policy.capacity)
            seen.append((now, price, (await limits.take("k", policy, price)).allowed))
        return seen

    return asyncio.run(play())


@given(policies, steps)
def test_gcra_decides_exactly_as_a_bucket_that_refills_steadily(
    policy: LimitPolicy, script: list[tuple[int, int]]
) -> None:
    level, before = Fraction(policy.capacity), 0
    rate = Fraction(policy.quota) / Fraction(policy.window) / 1_000
    for now, cost, allowed in run(policy, script):
        level = min(Fraction(policy.capacity), level + (now - before) * rate)
        before = now
        assert allowed == (level >= cost)
        if allowed:
            level -= cost


@given(policies, steps)
def test_no_stretch_of_time_sees_more_than_burst_plus_rate(
    policy: LimitPolicy, script: list[tuple[int, int]]
) -> None:
    taken = [(now, cost) for now, cost, allowed in run(policy, script) if allowed]
    rate = Fraction(policy.quota) / Fraction(policy.window) / 1_000
    for first in range(len(taken)):
        start = taken[first][0]
        total = 0
        for now, cost in taken[first:]:
            total += cost
            assert total <= policy.capacity + (now - start) * rate


@pytest.mark.parametrize(
    ("quota", "window", "burst"), [(0, 1.0, None), (1, 0.0, None), (1, 1.0, 0), (-1, 1.0, 1)]
)
def test_a_policy_that_allows_nothing_cannot_be_made(
    quota: int, window: float, burst: int | None
) -> None:
    with pytest.raises(ValueError, match="not positive"):
        LimitPolicy("p", quota, window, burst)


async def test_the_keys_that_limits_remember_are_bounded() -> None:
    limits = MemoryLimits(ManualClock(), most=10)
    policy = LimitPolicy("p", quota=1, window=60.0)
    for number in range(100):
        await limits.take(f"key-{number}", policy)
    assert len(limits._arrivals) == 10
    assert not (await limits.take("key-99", policy)).allowed


async def test_a_full_cache_forgets_what_was_unused_longest() -> None:
    cache = MemoryCache(ManualClock(), most=2)
    await cache.set("a", b"1", ttl=10)
    await cache.set("b", b"2", ttl=10)
    await cache.get("a")
    await cache.set("c", b"3", ttl=10)
    assert [await cache.get(key) for key in "abc"] == [b"1", None, b"3"]


async def test_a_cache_is_bounded_by_bytes_too() -> None:
    cache = MemoryCache(ManualClock(), most_bytes=10)
    await cache.set("a", b"12345678", ttl=10)
    await cache.set("b", b"1234", ttl=10)
    assert await cache.get("a") is None
    await cache.set("huge", bytes(11), ttl=10)
    assert await cache.get("huge") is None
    assert await cache.get("b") == b"1234"
    await cache.delete("b")
    assert cache._bytes == 0


async def test_what_a_cache_remembers_of_invalidations_is_bounded() -> None:
    cache = MemoryCache(ManualClock())
    old = await cache.moment("mine")
    for number in range(10_001):
        await cache.invalidate(f"tag {number}")
    await cache.set("key", b"1", 10, since=old)
    # Whether "mine" was among those that were forgotten, nobody can tell.
    assert await cache.get("key") is None

    await cache.set("key", b"2", 10, since=await cache.moment("mine"))
    assert await cache.get("key") == b"2"
    assert len(cache._invalidated) == 10_000


async def test_nothing_stays_behind_of_values_that_went() -> None:
    cache = MemoryCache(ManualClock(), most=10)
    for number in range(100):
        await cache.set(f"{number}", b"1", 10, since=await cache.moment(f"{number}", "all"))
    assert len(cache._tagged) == 11
    await cache.invalidate("all")
    assert (cache._tagged, cache._bytes) == ({}, 0)
