"""Works out what many want at the same time: one task of one process does, the others wait and find it in the cache."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from chassis.caching.port import Cache, Lock, Locks
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.single_flight import SingleFlight

HELD: Final = 3.0
_LONGEST: Final = 10.0
"""Seconds that one waits for another process before it does the work itself."""
_LOOK: Final = 0.25
"""Seconds between two looks, should nobody say that the work is done."""


@dataclass(frozen=True, slots=True)
class Made:
    """A value, and for how many seconds it counts."""

    value: bytes
    ttl: float


Work = Callable[[], Awaitable[Made]]


class Once:
    """Fills a cache.

    It saves work and promises nothing about it: when the lock's server is away, or its holder is slow or frozen,
    several processes do the same work. What the one with the newest lock has made then stays.

    Args:
        cache: what is filled.
        locks: between those who fill it.
        clock: measures how long one waits for another.
        held: seconds after which another process takes over from one that died.
    """

    def __init__(self, cache: Cache, locks: Locks, clock: Clock, *, held: float = HELD) -> None:
        self._cache = cache
        self._locks = locks
        self._clock = clock
        self._held = held
        self._flights: SingleFlight[str, bytes] = SingleFlight()

    async def get(self, key: str, work: Work) -> bytes:
        """The value of *key*: what is kept, or what *work* comes to, here or in another process.

        Raises:
            Exception: whatever the work raised here.
        """
        found = await self._cache.get(key)
        if found is not None:
            return found
        return await self._flights.run(key, partial(self._together, key, work))

    async def _together(self, key: str, work: Work) -> bytes:
        end = self._clock.monotonic() + _LONGEST
        async with self._locks.waiting(key) as freed:
            while True:
                found = await self._cache.get(key)
                if found is not None:
                    return found
                try:
                    lock = await self._locks.take(key, self._held)
                except Unavailable:
                    return await self._made(key, work, None)
                if lock is not None:
                    return await self._alone(key, work, lock)
                if self._clock.monotonic() >= end:
                    return await self._made(key, work, None)
                _ = await freed.next(_LOOK)

    async def _alone(self, key: str, work: Work, lock: Lock) -> bytes:
        try:
            # Whoever had the lock before may have finished between the look and the lock.
            found = await self._cache.get(key)
            if found is not None:
                return found
            async with self._locks.kept(lock, self._held):
                return await self._made(key, work, lock)
        finally:
            await lock.release()

    async def _made(self, key: str, work: Work, lock: Lock | None) -> bytes:
        made = await work()
        fence = None if lock is None else lock.fence
        await self._cache.set(key, made.value, made.ttl, fence=fence)
        return made.value
