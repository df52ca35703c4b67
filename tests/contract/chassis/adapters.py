"""Every adapter of the chassis' ports: one row each. A new adapter is a row here and no test."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

from chassis.caching.memory import MemoryCache, MemoryLimits
from chassis.caching.port import Cache, Limits
from chassis.discovery.port import Registry
from chassis.discovery.static import StaticRegistry
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Bus
from chassis.messaging.retry import Backoff
from tests.support.time import ManualClock

T = TypeVar("T")

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
async def _memory_limits() -> AsyncIterator[Timed[Limits]]:
    clock = ManualClock()
    yield Timed(MemoryLimits(clock), clock.advance)


@asynccontextmanager
async def _memory_cache() -> AsyncIterator[Timed[Cache]]:
    clock = ManualClock()
    yield Timed(MemoryCache(clock), clock.advance)


@asynccontextmanager
async def _static_registry() -> AsyncIterator[Registry]:
    yield StaticRegistry()


BUSES: Mapping[str, Opener[Bus]] = {"memory": _memory_bus}
LIMITS: Mapping[str, Opener[Timed[Limits]]] = {"memory": _memory_limits}
CACHES: Mapping[str, Opener[Timed[Cache]]] = {"memory": _memory_cache}
REGISTRIES: Mapping[str, Opener[Registry]] = {"static": _static_registry}
