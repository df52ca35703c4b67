"""A cache within one process, bounded by number and by bytes."""

from collections import OrderedDict
from dataclasses import dataclass

from chassis.caching.port import Moment
from chassis.clock import Clock, SystemClock

_REMEMBERED = 10_000
"""Tags whose last invalidation is remembered; when another one comes, values begun before the oldest are not kept."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: bytes
    until: float
    fence: int
    tags: tuple[str, ...]


class MemoryCache:
    """Values by recency of use.

    Args:
        clock: what expiry is measured with.
        most: how many values are kept.
        most_bytes: how much they may take together; a larger value is not kept at all.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        most: int = 10_000,
        most_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self._clock = clock or SystemClock()
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._values: OrderedDict[str, _Kept] = OrderedDict()
        self._tagged: dict[str, set[str]] = {}
        self._order = 0
        self._invalidated: OrderedDict[str, int] = OrderedDict()
        self._forgotten = 0
        """Invalidations up to this one are not remembered apart."""

    async def get(self, key: str) -> bytes | None:
        """See `Cache.get`."""
        found = self._alive(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found.value

    async def moment(self, *tags: str) -> Moment:
        """See `Cache.moment`."""
        return Moment(tags, self._order)

    async def set(
        self,
        key: str,
        value: bytes,
        ttl: float,
        *,
        since: Moment | None = None,
        fence: int | None = None,
    ) -> None:
        """See `Cache.set`."""
        if (since is not None and self._overtaken(since)) or self._fenced(key, fence):
            return
        self._forget(key)
        if ttl <= 0 or len(value) > self._most_bytes:
            return
        tags = () if since is None else since.tags
        until = self._clock.monotonic() + ttl
        self._values[key] = _Kept(value, until, fence or 0, tags)
        for tag in tags:
            self._tagged.setdefault(tag, set()).add(key)
        self._bytes += len(value)
        while len(self._values) > self._most or self._bytes > self._most_bytes:
            self._forget(next(iter(self._values)))

    async def delete(self, key: str) -> None:
        """See `Cache.delete`."""
        self._forget(key)

    async def invalidate(self, *tags: str) -> None:
        """See `Cache.invalidate`."""
        for tag in tags:
            self.drop(tag)

    def drop(self, tag: str) -> None:
        """Forget every value that bears *tag*."""
        self._order += 1
        self._invalidated[tag] = self._order
        self._invalidated.move_to_end(tag)
        if len(self._invalidated) > _REMEMBERED:
            _, self._forgotten = self._invalidated.popitem(last=False)
        for key in tuple(self._tagged.get(tag, ())):
            self._forget(key)

    def clear(self) -> None:
        """Forget everything, as if all tags there are had been invalidated."""
        self._order += 1
        self._forgotten = self._order
        self._invalidated.clear()
        self._values.clear()
        self._tagged.clear()
        self._bytes = 0

    def _overtaken(self, since: Moment) -> bool:
        if since.order < self._forgotten:
            return True
        return any(self._invalidated.get(tag, 0) > since.order for tag in since.tags)

    def _fenced(self, key: str, fence: int | None) -> bool:
        there = None if fence is None else self._alive(key)
        return there is not None and fence is not None and there.fence > fence

    def _alive(self, key: str) -> _Kept | None:
        found = self._values.get(key)
        if found is not None and found.until <= self._clock.monotonic():
            self._forget(key)
            return None
        return found

    def _forget(self, key: str) -> None:
        kept = self._values.pop(key, None)
        if kept is None:
            return
        self._bytes -= len(kept.value)
        for tag in kept.tags:
            bearers = self._tagged[tag]
            bearers.discard(key)
            if not bearers:
                del self._tagged[tag]
