"""The shared side of caches, as long as it is there; what it could not be told is told to it when it is back."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from chassis.caching.port import Moment
from chassis.caching.reaching import Reach
from chassis.caching.redis_cache import Found, RedisCache
from chassis.errors import Unavailable

_OWED: Final = 1_000
"""Names whose invalidation is owed; beyond them everything is invalidated."""

T = TypeVar("T")


class FarSide:
    """Every operation raises Unavailable when the server is not there, after its patience or at once.

    Nothing is read before what is owed has been told: else a process would get back what it had itself invalidated.
    """

    def __init__(self, cache: RedisCache, reach: Reach) -> None:
        self.cache = cache
        self._reach = reach
        self._owed: dict[str, None] = {}
        self._owes_everything = False

    async def get(self, key: str) -> Found | None:
        """See `RedisCache.get`."""
        return await self._asked(partial(self.cache.get, key))

    async def moment(self, tags: tuple[str, ...], order: int) -> Moment:
        """See `RedisCache.moment`."""
        return await self._asked(partial(self.cache.moment, tags, order))

    async def set(
        self, key: str, value: bytes, ttl: float, since: Moment | None, fence: int | None
    ) -> None:
        """See `RedisCache.set`."""
        await self._asked(partial(self.cache.set, key, value, ttl, since=since, fence=fence))

    async def forget(self, *names: str) -> None:
        """Forget what is called *names* in Redis; raises nothing: what cannot be told is owed."""
        try:
            await self._asked(partial(self.cache.forget, names))
        except Unavailable:
            self._owed |= dict.fromkeys(names)
            if len(self._owed) > _OWED:
                self._owed.clear()
                self._owes_everything = True

    async def settle(self) -> None:
        """Tell what is owed, if the server is there; raises nothing."""
        if self._owed or self._owes_everything:
            with contextlib.suppress(Unavailable):
                await self._reach.ask(self._settle)

    async def _asked(self, question: Callable[[], Awaitable[T]]) -> T:
        if self._owed or self._owes_everything:
            await self._reach.ask(self._settle)
        return await self._reach.ask(question)

    async def _settle(self) -> None:
        everything, names = self._owes_everything, list(self._owed)
        if everything:
            await self.cache.clear()
            self._owes_everything = False
        if names:
            await self.cache.forget(names)
        for name in names:
            self._owed.pop(name, None)
