"""Limits in a Redis that is killed, frozen, and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chassis.caching.opening import limits_at, redis_at
from chassis.caching.port import LimitPolicy, Limits
from chassis.caching.redis_limits import RedisLimits
from chassis.errors import Unavailable
from tests.support.redis import RedisServer, redis
from tests.support.time import ManualClock

__all__ = ["redis"]

PATIENCE = 30.0
THREE = LimitPolicy("login", quota=3, window=3600.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def replicas(redis: RedisServer, clock: ManualClock) -> AsyncIterator[tuple[Limits, Limits]]:
    # With more patience than a busy machine takes: one that is lost counts for itself.
    async with (
        limits_at(redis.url, clock, patience=PATIENCE) as one,
        limits_at(redis.url, clock, patience=PATIENCE) as other,
    ):
        yield one, other


async def allowed(limits: Limits, times: int, key: str = "anna") -> int:
    return sum([(await limits.take(key, THREE)).allowed for _ in range(times)])


async def test_replicas_count_together(replicas: tuple[Limits, Limits]) -> None:
    one, other = replicas

    assert await allowed(one, 2) == 2
    assert await allowed(other, 5) == 1
    assert await allowed(one, 5) == 0


async def test_of_many_who_ask_at_once_as_many_are_allowed_as_the_limit_says(
    redis: RedisServer,
) -> None:
    async with redis_at(redis.url) as one, redis_at(redis.url) as other:
        replicas = [RedisLimits(client, patience=PATIENCE) for client in (one, other)]
        decisions = await asyncio.gather(*(replicas[n % 2].take("anna", THREE) for n in range(50)))

    assert sum(decision.allowed for decision in decisions) == 3


async def test_while_it_is_away_each_replica_counts_for_itself(
    redis: RedisServer, replicas: tuple[Limits, Limits]
) -> None:
    one, other = replicas
    redis.kill()

    assert await allowed(one, 10) == 3
    assert await allowed(other, 10) == 3


async def test_one_that_holds_still_delays_a_request_now_and_then_and_no_more(
    redis: RedisServer, clock: ManualClock
) -> None:
    async with limits_at(redis.url, clock) as one:
        await allowed(one, 1)
        redis.freeze()
        begun = time.monotonic()

        await allowed(one, 200)

        took = time.monotonic() - begun
        redis.thaw()

    assert took < 20  # 200 times its patience would be 50 s


async def test_it_counts_again_once_it_is_back(
    redis: RedisServer, replicas: tuple[Limits, Limits], clock: ManualClock
) -> None:
    one, other = replicas
    redis.kill()
    assert await allowed(one, 1) == 1
    redis.start()
    clock.advance(2.0)

    assert await allowed(one, 2, "bob") == 2
    assert await allowed(other, 5, "bob") == 1


async def test_without_anybody_to_go_on_it_says_that_it_is_away(redis: RedisServer) -> None:
    async with redis_at(redis.url) as client:
        redis.kill()
        with pytest.raises(Unavailable):
            await RedisLimits(client).take("anna", THREE)


async def test_what_stands_in_redis_names_nobody(redis: RedisServer) -> None:
    async with redis_at(redis.url) as client:
        await RedisLimits(client, patience=PATIENCE).take("ada@example.com", THREE)

        names = [name async for name in client.scan_iter()]

    assert len(names) == 1
    assert b"ada" not in names[0]
