"""Locks in Redis; what they guarantee and what not is said at `Lock`.

Redis may forget: then two processes can hold the same lock, and neither can know. So each has a fence, a number that goes
up: the counter's next value, or the server's clock in microseconds when that is more. A flush, which loses the counter,
leaves the clock. Only a server that loses the counter and whose clock was set back gives a lower fence: whoever checks fences
then refuses the new holder until the clock has caught up, and never lets two write.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from chassis.caching.port import Channels, Listener, Lock, LockLost
from chassis.caching.reaching import Reach
from chassis.caching.redis_cache import PATIENCE, answered
from chassis.clock import Clock
from chassis.crypto.safe import Safe
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor

_WHAT: Final = "the locks"
# Whoever asks twice, since the first answer was lost, is the same owner and gets the lock it has.
_TAKE: Final = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return false
end
local moment = redis.call('TIME')
local fence = math.max(
  (tonumber(redis.call('GET', KEYS[2])) or 0) + 1,
  tonumber(moment[1]) * 1000000 + tonumber(moment[2])
)
redis.call('SET', KEYS[2], string.format('%.0f', fence))
return string.format('%.0f', fence)
"""
_EXTEND: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLock:
    """Implements `Lock`."""

    def __init__(
        self, locks: "RedisLocks", name: str, owner: str, fence: int, until: float
    ) -> None:
        self.name = name
        self.fence = fence
        self.lost = asyncio.Event()
        self._locks = locks
        self._owner = owner
        self._until = until

    @property
    def left(self) -> float:
        """See `Lock.left`."""
        return 0.0 if self.lost.is_set() else max(0.0, self._until - self._locks.now())

    async def extend(self, ttl: float) -> None:
        """See `Lock.extend`."""
        asked = self._locks.now()
        if self.lost.is_set() or not await self._locks.extended(self.name, self._owner, ttl):
            self.lost.set()
            raise LockLost(self.name)
        self._until = asked + ttl

    async def release(self) -> None:
        """See `Lock.release`."""
        try:
            still = await self._locks.released(self.name, self._owner)
        except Unavailable:
            return  # its time runs out by itself
        if not still:
            self.lost.set()


class RedisLocks:
    """Implements `Locks`.

    Args:
        client: of the server; whoever opened it closes it.
        channels: by which those who wait hear of a release.
        safe: names locks, so that what stands in Redis tells nothing.
        clock: measures what is left.
        reach: whether the server is worth asking.
        prefix: of all names in Redis.
        patience: seconds after which an operation is given up.
    """

    def __init__(
        self,
        client: Redis,
        channels: Channels,
        safe: Safe,
        clock: Clock,
        reach: Reach,
        *,
        prefix: str = "autoworker:lock",
        patience: float = PATIENCE,
    ) -> None:
        self._channels = channels
        self._safe = safe
        self._clock = clock
        self._reach = reach
        self._prefix = prefix
        self._patience = patience
        self._take: AsyncScript = client.register_script(_TAKE)
        self._extend: AsyncScript = client.register_script(_EXTEND)
        self._release: AsyncScript = client.register_script(_RELEASE)

    def now(self) -> float:
        """Seconds of the clock that measures what is left."""
        return self._clock.monotonic()

    async def take(self, name: str, ttl: float) -> RedisLock | None:
        """See `Locks.take`."""
        owner, asked = secrets.token_hex(16), self.now()
        keys = [self._key(name), f"{self._prefix}-fence"]
        fence = await self._ask(self._take, keys, owner, round(ttl * 1_000))
        return None if fence is None else RedisLock(self, name, owner, int(fence), asked + ttl)

    @asynccontextmanager
    async def kept(self, lock: Lock, ttl: float) -> AsyncIterator[None]:
        """See `Locks.kept`."""
        async with Supervisor(deadline=1.0) as supervisor:
            _ = supervisor.start("lock-keeping", _keep(lock, ttl))
            yield

    def waiting(self, name: str) -> AbstractAsyncContextManager[Listener]:
        """See `Locks.waiting`."""
        return self._channels.listen(self._key(name))

    async def extended(self, name: str, owner: str, ttl: float) -> bool:
        """Whether *owner* holds *name* for *ttl* seconds from now.

        Raises:
            Unavailable: nobody can tell.
        """
        return bool(await self._ask(self._extend, [self._key(name)], owner, round(ttl * 1_000)))

    async def released(self, name: str, owner: str) -> bool:
        """Whether *owner* held *name* until now.

        Raises:
            Unavailable: nobody can tell.
        """
        still = bool(await self._ask(self._release, [self._key(name)], owner))
        if still:
            await self._channels.publish(self._key(name), b"")
        return still

    async def _ask(
        self, script: AsyncScript, keys: list[str], *arguments: str | int
    ) -> bytes | int | None:
        async def question() -> bytes | int | None:
            async with answered(self._patience, _WHAT):
                answer: bytes | int | None = await script(keys=keys, args=arguments)
                return answer

        return await self._reach.ask(question)

    def _key(self, name: str) -> str:
        return f"{self._prefix}:{self._safe.mark(name.encode(errors='surrogatepass'))}"


async def _keep(lock: Lock, ttl: float) -> None:
    """Extend *lock* for as long as it can be; what cannot be asked is asked again until the time is over."""
    while True:
        await asyncio.sleep(ttl / 3)
        try:
            await lock.extend(ttl)
        except LockLost:
            return
        except Unavailable:
            if lock.left <= 0:
                lock.lost.set()
                return
