"""Values in this process, over values that processes share.

While the feed follows, what is here is as true as what is there, but for the milliseconds that news takes; when it
does not, only what is there counts. While what is there cannot be reached either, each process keeps values for itself.
"""

from functools import partial

from chassis.caching.far_side import FarSide
from chassis.caching.memory_cache import MemoryCache
from chassis.caching.port import Moment
from chassis.caching.redis_cache import LARGEST
from chassis.caching.redis_feed import RedisFeed
from chassis.errors import Unavailable
from chassis.single_flight import SingleFlight
from chassis.telemetry import metrics

_READ = metrics.counter(
    "cache_reads_total",
    "Values that were looked for, by where they were: near (in this process), far (shared), nowhere, alone (without the"
    " shared side, whether or not it was there).",
    ["cache", "place"],
)


class TwoLevelCache:
    """Implements `Cache`; every operation ends within the far side's patience, whatever becomes of it.

    Args:
        name: of what is kept; keys and tags of other names are others.
        near: keeps values in this process; nobody else uses it.
        far: keeps them for all.
        feed: tells what has changed there.
    """

    def __init__(self, name: str, near: MemoryCache, far: FarSide, feed: RedisFeed) -> None:
        self._name = name
        self._near = near
        self._far = far
        self._feed = feed
        self._read = {
            place: _READ.child(name, place) for place in ("near", "far", "nowhere", "alone")
        }
        self._flights: SingleFlight[tuple[str, int], bytes | None] = SingleFlight()
        feed.on_change(self._changed)

    async def get(self, key: str) -> bytes | None:
        """See `Cache.get`."""
        whole, name = self._named(key)
        if self._feed.follows() and (value := await self._near.get(name)) is not None:
            self._read["near"].inc()
            return value
        begun = await self._near.moment(name)
        # Those who ask at the same time share an answer, unless there was news since it was asked for.
        question = partial(self._asked, whole, name, begun)
        return await self._flights.run((name, begun.order), question)

    async def _asked(self, whole: str, name: str, begun: Moment) -> bytes | None:
        try:
            found = await self._far.get(whole)
        except Unavailable:
            self._read["alone"].inc()
            return await self._near.get(name)
        self._read["nowhere" if found is None else "far"].inc()
        if found is None:
            return None
        if self._feed.follows():
            # News that came before the answer did counts for it.
            since = Moment((name, *found.tags), begun.order)
            await self._near.set(name, found.value, found.left, since=since)
        return found.value

    async def moment(self, *tags: str) -> Moment:
        """See `Cache.moment`."""
        whole = tuple(self._whole(tag) for tag in tags)
        order = (await self._near.moment()).order
        try:
            return await self._far.moment(whole, order)
        except Unavailable:
            return Moment(whole, order)

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
        whole, name = self._named(key)
        tags = () if since is None else since.tags
        order = (await self._near.moment() if since is None else since).order
        here = Moment((name, *map(self._far.cache.tag_name, tags)), order)
        try:
            if len(value) > LARGEST:
                await self._far.forget(name)
                raise Unavailable("this is more than is shared")
            await self._far.set(whole, value, ttl, since, fence)
        except Unavailable:
            await self._near.set(name, value, ttl, since=here, fence=fence)
        else:
            # The news of it will come; whoever asks before must not get what was here.
            self._near.drop(name)

    async def delete(self, key: str) -> None:
        """See `Cache.delete`."""
        await self._forget(self._named(key)[1])

    async def invalidate(self, *tags: str) -> None:
        """See `Cache.invalidate`."""
        if tags:
            await self._forget(*(self._far.cache.tag_name(self._whole(tag)) for tag in tags))

    async def _forget(self, *names: str) -> None:
        for name in names:
            self._near.drop(name)
        await self._far.forget(*names)
        for name in names:
            # Whoever asked meanwhile may have been answered before Redis knew.
            self._near.drop(name)

    def _changed(self, name: str | None) -> None:
        if name is None:
            self._near.clear()
        else:
            self._near.drop(name)

    def _named(self, key: str) -> tuple[str, str]:
        whole = self._whole(key)
        return whole, self._far.cache.name(whole)

    def _whole(self, word: str) -> str:
        return f"{self._name}:{word}"
