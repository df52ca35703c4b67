"""Opens what `AUTOWORKER_CACHE_URL` names."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chassis.caching.far_side import FarSide
from chassis.caching.memory import MemoryLimits
from chassis.caching.memory_cache import MemoryCache
from chassis.caching.memory_locks import MemoryLocks
from chassis.caching.port import Cache, Limits, Locks
from chassis.caching.reaching import Reach
from chassis.caching.redis_cache import PATIENCE, PREFIX, RedisCache
from chassis.caching.redis_feed import RedisFeed
from chassis.caching.redis_limits import PATIENCE as LIMITS_PATIENCE
from chassis.caching.redis_limits import RedisLimits
from chassis.caching.redis_locks import RedisLocks
from chassis.caching.surviving import SurvivingLimits
from chassis.caching.two_levels import TwoLevelCache
from chassis.clock import Clock
from chassis.crypto.safe import Safe
from chassis.lifecycle import Supervisor

CONNECTIONS = 16
"""At the same time; whoever finds none waits, which is quicker than to open another."""
CONNECT = 2.0
"""Seconds to wait for a connection."""


@asynccontextmanager
async def limits_at(
    url: str, clock: Clock, *, patience: float = LIMITS_PATIENCE
) -> AsyncIterator[Limits]:
    """The limits that are counted at *url*: `memory://`, or `redis://` and `rediss://`.

    Redis need not be there, not even now; a decision is given up after *patience* seconds.
    """
    own = MemoryLimits(clock)
    if url.startswith("memory:"):
        yield own
        return
    async with redis_at(url) as client:
        yield SurvivingLimits(RedisLimits(client, patience=patience), own, clock)


@dataclass(frozen=True, slots=True)
class Caches:
    """Makes caches, and has the locks of those who fill them."""

    locks: Locks
    _make: Callable[[str, MemoryCache], Cache]
    _clock: Clock

    def cache(self, name: str, *, most: int, most_bytes: int) -> Cache:
        """A cache called *name*, of which this process keeps *most* values and *most_bytes* of them."""
        return self._make(name, MemoryCache(self._clock, most=most, most_bytes=most_bytes))


def caches_of_one(clock: Clock) -> Caches:
    """Caches that no other process shares."""
    return Caches(MemoryLocks(clock), lambda _, near: near, clock)


@asynccontextmanager
async def caches_at(
    url: str, clock: Clock, safe: Safe, *, prefix: str = PREFIX, patience: float = PATIENCE
) -> AsyncIterator[Caches]:
    """The caches that are shared at *url*: `memory://`, or `redis://` and `rediss://`.

    Redis need not be there, not even now: then each process keeps values for itself.

    Args:
        url: `AUTOWORKER_CACHE_URL`.
        clock: measures how long values count.
        safe: seals what is shared; the processes that share it have the same keys.
        prefix: of all names in Redis.
        patience: seconds that Redis may take for an answer.
    """
    if url.startswith("memory:"):
        yield caches_of_one(clock)
        return
    async with redis_at(url) as client, Supervisor(deadline=1.0) as supervisor:
        feed = RedisFeed(client, prefix, clock)
        reach = Reach("shared_cache", clock)
        far = FarSide(RedisCache(client, safe, clock, prefix=prefix, patience=patience), reach)
        feed.on_sign(far.settle)
        locks = RedisLocks(
            client, feed, safe, clock, reach, prefix=f"{prefix}lock", patience=patience
        )
        _ = supervisor.start("cache-feed", feed.run())
        yield Caches(locks, lambda name, near: TwoLevelCache(name, near, far, feed), clock)


@asynccontextmanager
async def redis_at(url: str) -> AsyncIterator[Redis]:
    """A client of the Redis at *url*; it connects when it is used, and again when it must."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=CONNECT,
        socket_connect_timeout=CONNECT,
        socket_timeout=CONNECT,
        health_check_interval=30,
        # One new try: a connection that was kept may have died unnoticed.
        retry=Retry(NoBackoff(), 1),
        client_name="autoworker",
    )
    client = Redis.from_pool(pool)
    try:
        yield client
    finally:
        await client.aclose()
