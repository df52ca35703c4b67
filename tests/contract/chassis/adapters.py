"""Every adapter of the chassis' ports: one row each. A new adapter is a row here and no test."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import uuid4

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from chassis.caching.far_side import FarSide
from chassis.caching.memory import MemoryLimits
from chassis.caching.memory_cache import MemoryCache
from chassis.caching.memory_locks import MemoryChannels, MemoryLocks
from chassis.caching.opening import redis_at
from chassis.caching.port import Cache, Channels, LimitDecision, LimitPolicy, Limits, Locks
from chassis.caching.reaching import Reach
from chassis.caching.redis_cache import RedisCache
from chassis.caching.redis_feed import RedisFeed
from chassis.caching.redis_limits import RedisLimits
from chassis.caching.redis_locks import RedisLocks
from chassis.caching.two_levels import TwoLevelCache
from chassis.clock import SystemClock
from chassis.crypto.key_file import ephemeral
from chassis.crypto.safe import Safe
from chassis.discovery.consul import ConsulRegistry
from chassis.discovery.port import Registry
from chassis.discovery.static import StaticRegistry
from chassis.lifecycle import Supervisor
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Bus
from chassis.messaging.retry import Backoff
from tests.support.broker import broker
from tests.support.consul import consul_url
from tests.support.servers import redis_url
from tests.support.time import ManualClock, eventually

T = TypeVar("T")

SAFE = Safe(ephemeral(), "cache")
QUICK = Backoff(first=0.001, longest=0.01, attempts=3)


@dataclass(frozen=True)
class Timed(Generic[T]):
    """An adapter, and how to let time pass for it."""

    adapter: T
    advance: Callable[[float], None]


Opener = Callable[[], AbstractAsyncContextManager[T]]


@asynccontextmanager
async def _memory_bus() -> AsyncIterator[Bus]:
    async with MemoryBus(QUICK) as bus:
        yield bus


@asynccontextmanager
async def _rabbit_bus() -> AsyncIterator[Bus]:
    names = ("inbox", "one", "other", "exact", "beginning", "everything", "stuck", "reached")
    async with broker(*names) as place, place.bus() as bus:
        yield bus


@asynccontextmanager
async def _memory_limits() -> AsyncIterator[Timed[Limits]]:
    clock = ManualClock()
    yield Timed(MemoryLimits(clock), clock.advance)


@dataclass(frozen=True)
class _Apart:
    """Limits whose keys are nobody else's on a server that others use as well."""

    limits: RedisLimits
    name: str

    async def take(self, key: str, policy: LimitPolicy, cost: int = 1) -> LimitDecision:
        return await self.limits.take(f"{self.name}:{key}", policy, cost)


@asynccontextmanager
async def _redis_limits() -> AsyncIterator[Timed[Limits]]:
    async with redis_at(redis_url()) as client:
        limits = RedisLimits(client, patience=10.0)

        def advance(seconds: float) -> None:
            limits.ahead += seconds

        yield Timed(_Apart(limits, uuid4().hex), advance)


@asynccontextmanager
async def _memory_cache() -> AsyncIterator[Timed[Cache]]:
    clock = ManualClock()
    yield Timed(MemoryCache(clock), clock.advance)


class Passing:
    """Lets time pass for what a cache has in Redis: everything expires that much earlier."""

    def __init__(self, prefix: str, clock: ManualClock) -> None:
        self._prefix = prefix
        self._clock = clock

    def __call__(self, seconds: float) -> None:
        self._clock.advance(seconds)
        with Redis.from_url(redis_url()) as client:
            for name in client.scan_iter(f"{self._prefix}*"):
                left = client.pttl(name)
                assert isinstance(left, int)
                if left > 0:
                    # What has no time left goes at once.
                    _ = client.pexpire(name, left - round(seconds * 1_000))


@asynccontextmanager
async def _following(prefix: str) -> AsyncIterator[tuple[AsyncRedis, RedisFeed]]:
    """A client, and a feed that follows what begins with *prefix*, which is gone afterwards."""
    async with redis_at(redis_url()) as client, Supervisor(deadline=1.0) as supervisor:
        feed = RedisFeed(client, prefix, SystemClock())
        _ = supervisor.start("feed", feed.run())
        await eventually(feed.follows, within=30)
        yield client, feed
        await RedisCache(client, SAFE, SystemClock(), prefix=prefix, patience=10.0).clear()


@asynccontextmanager
async def _two_levels() -> AsyncIterator[Timed[Cache]]:
    clock, prefix = ManualClock(), f"test:{uuid4().hex}:"
    async with _following(prefix) as (client, feed):
        far = FarSide(
            RedisCache(client, SAFE, clock, prefix=prefix, patience=10.0), Reach("test", clock)
        )
        cache = TwoLevelCache("test", MemoryCache(clock), far, feed)
        yield Timed(cache, Passing(prefix, clock))


@asynccontextmanager
async def _memory_locks() -> AsyncIterator[Timed[Locks]]:
    clock = ManualClock()
    yield Timed(MemoryLocks(clock), clock.advance)


@asynccontextmanager
async def _redis_locks() -> AsyncIterator[Timed[Locks]]:
    clock, prefix = ManualClock(), f"test:{uuid4().hex}:"
    async with _following(prefix) as (client, feed):
        locks = RedisLocks(
            client, feed, SAFE, clock, Reach("test", clock), prefix=f"{prefix}lock", patience=10.0
        )
        yield Timed(locks, Passing(prefix, clock))


@asynccontextmanager
async def _memory_channels() -> AsyncIterator[Channels]:
    yield MemoryChannels()


@asynccontextmanager
async def _redis_channels() -> AsyncIterator[Channels]:
    async with _following(f"test:{uuid4().hex}:") as (_, feed):
        yield feed


@asynccontextmanager
async def _static_registry() -> AsyncIterator[Registry]:
    yield StaticRegistry()


@asynccontextmanager
async def _consul_registry() -> AsyncIterator[Registry]:
    async with ConsulRegistry(consul_url(), prefix=f"{uuid4().hex}-", look_after=0.2) as registry:
        yield registry


BUSES: Mapping[str, Opener[Bus]] = {"memory": _memory_bus, "rabbitmq": _rabbit_bus}
LIMITS: Mapping[str, Opener[Timed[Limits]]] = {"memory": _memory_limits, "redis": _redis_limits}
CACHES: Mapping[str, Opener[Timed[Cache]]] = {"memory": _memory_cache, "two levels": _two_levels}
LOCKS: Mapping[str, Opener[Timed[Locks]]] = {"memory": _memory_locks, "redis": _redis_locks}
CHANNELS: Mapping[str, Opener[Channels]] = {"memory": _memory_channels, "redis": _redis_channels}
REGISTRIES: Mapping[str, Opener[Registry]] = {
    "static": _static_registry,
    "consul": _consul_registry,
}
