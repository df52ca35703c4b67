"""Processes that share a Redis, as far as a cache can tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from chassis.caching.far_side import FarSide
from chassis.caching.memory_cache import MemoryCache
from chassis.caching.once import Once
from chassis.caching.opening import redis_at
from chassis.caching.reaching import Reach
from chassis.caching.redis_cache import RedisCache
from chassis.caching.redis_feed import RedisFeed
from chassis.caching.redis_locks import RedisLocks
from chassis.caching.two_levels import TwoLevelCache
from chassis.clock import Clock, SystemClock
from chassis.crypto.safe import Safe
from chassis.lifecycle import Supervisor
from tests.support.time import eventually

PATIENCE = 5.0
"""Seconds: more than a busy machine takes, and less than a test."""


@dataclass(frozen=True)
class Replica:
    """One process; what it is made of is seen by tests."""

    client: Redis
    cache: TwoLevelCache
    near: MemoryCache
    far: FarSide
    feed: RedisFeed
    locks: RedisLocks

    def once(self, held: float = 3.0) -> Once:
        """Fills its cache."""
        return Once(self.cache, self.locks, SystemClock(), held=held)

    async def following(self) -> None:
        """Wait until it hears of changes."""
        await eventually(self.feed.follows, within=60)

    async def lost(self) -> None:
        """Wait until it has noticed that it hears of no changes any more."""
        await eventually(lambda: not self.feed.follows(), within=60)

    async def keeps_near(self, key: str) -> bool:
        """Whether it has *key* in its own memory, after asking for it."""
        _ = await self.cache.get(key)
        whole = self.far.cache.name(f"test:{key}")
        return self.feed.follows() and await self.near.get(whole) is not None


@asynccontextmanager
async def replica(
    url: str, safe: Safe, *, patience: float = PATIENCE, clock: Clock | None = None
) -> AsyncIterator[Replica]:
    """A process that shares the Redis at *url* with those that have the same *safe*."""
    clock = clock or SystemClock()
    async with redis_at(url) as client, Supervisor(deadline=1.0) as supervisor:
        near, feed = MemoryCache(clock), RedisFeed(client, "test:", SystemClock())
        reach = Reach("test", clock)
        far = FarSide(RedisCache(client, safe, clock, prefix="test:", patience=patience), reach)
        locks = RedisLocks(client, feed, safe, clock, reach, prefix="test:lock", patience=patience)
        cache = TwoLevelCache("test", near, far, feed)
        feed.on_sign(far.settle)
        _ = supervisor.start("feed", feed.run())
        yield Replica(client, cache, near, far, feed, locks)
