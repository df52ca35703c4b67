"""Locks and channels within one process, for whoever has no server to share."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from chassis.caching.port import Listener, Lock, LockLost
from chassis.clock import Clock

_MICRO: Final = 1_000_000
_WAITING: Final = 1_000
"""Messages that wait for one listener; beyond them the oldest go."""
_PRUNED: Final = 10_000
"""Locks above which those that nobody released are forgotten."""


class Ear:
    """Implements `Listener`."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)

    def tell(self, message: bytes | None) -> None:
        """Let it hear *message*; None: some may have been missed."""
        if self._heard.full():
            _ = self._heard.get_nowait()
        self._heard.put_nowait(message)

    async def next(self, within: float) -> bytes | None:
        """See `Listener.next`."""
        try:
            async with asyncio.timeout(within):
                return await self._heard.get()
        except TimeoutError:
            return None


class MemoryChannels:
    """Implements `Channels`."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Ear]] = {}

    async def publish(self, channel: str, message: bytes) -> None:
        """See `Channels.publish`."""
        self.tell(channel, message)

    def tell(self, channel: str, message: bytes | None) -> None:
        """Let those who listen to *channel* hear *message*; None: they may have missed some."""
        for ear in self._ears.get(channel, ()):
            ear.tell(message)

    def listen(self, channel: str) -> AbstractAsyncContextManager[Listener]:
        """See `Channels.listen`."""
        return self._listening(channel)

    @asynccontextmanager
    async def _listening(self, channel: str) -> AsyncIterator[Listener]:
        ear = Ear()
        self._ears.setdefault(channel, set()).add(ear)
        try:
            yield ear
        finally:
            self._ears[channel].discard(ear)
            if not self._ears[channel]:
                del self._ears[channel]

    @property
    def heard(self) -> tuple[str, ...]:
        """The channels that somebody listens to."""
        return tuple(self._ears)


class MemoryLock:
    """Implements `Lock`."""

    def __init__(
        self,
        name: str,
        fence: int,
        until: float,
        clock: Clock,
        let_go: Callable[["MemoryLock"], bool],
    ) -> None:
        self.name = name
        self.fence = fence
        self.lost = asyncio.Event()
        self.until = until
        self._clock = clock
        self._let_go = let_go

    @property
    def left(self) -> float:
        """See `Lock.left`."""
        return 0.0 if self.lost.is_set() else max(0.0, self.until - self._clock.monotonic())

    async def extend(self, ttl: float) -> None:
        """See `Lock.extend`."""
        if self.left <= 0:
            self.lost.set()
            raise LockLost(self.name)
        self.until = self._clock.monotonic() + ttl

    async def release(self) -> None:
        """See `Lock.release`."""
        if not self._let_go(self):
            self.lost.set()


class MemoryLocks:
    """Implements `Locks`; fences go up also from one life of the process to the next, by the wall clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: dict[str, MemoryLock] = {}
        self._fence = 0
        self._channels = MemoryChannels()

    async def take(self, name: str, ttl: float) -> MemoryLock | None:
        """See `Locks.take`."""
        if len(self._held) > _PRUNED:
            self._held = {name: lock for name, lock in self._held.items() if lock.left > 0}
        holder = self._held.get(name)
        if holder is not None:
            if holder.left > 0:
                return None
            holder.lost.set()
        self._fence = max(self._fence + 1, int(self._clock.now().timestamp() * _MICRO))
        until = self._clock.monotonic() + ttl
        lock = self._held[name] = MemoryLock(name, self._fence, until, self._clock, self._let_go)
        return lock

    @asynccontextmanager
    async def kept(self, lock: Lock, ttl: float) -> AsyncIterator[None]:
        """See `Locks.kept`; whoever is frozen here freezes everybody, so that nobody can come in between."""
        held = self._held.get(lock.name)
        if held is not lock or held.left <= 0:
            lock.lost.set()
        else:
            held.until = math.inf
        try:
            yield
        finally:
            if held is lock:
                held.until = self._clock.monotonic() + ttl

    def waiting(self, name: str) -> AbstractAsyncContextManager[Listener]:
        """See `Locks.waiting`."""
        return self._channels.listen(name)

    def _let_go(self, lock: MemoryLock) -> bool:
        if self._held.get(lock.name) is not lock:
            return False
        del self._held[lock.name]
        self._channels.tell(lock.name, b"")
        return lock.left > 0
