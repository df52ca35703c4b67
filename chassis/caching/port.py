"""What may be forgotten: limits, cached values, locks for a time. Losing it costs speed, never correctness."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from chassis.errors import Conflict


@dataclass(frozen=True, slots=True)
class LimitPolicy:
    """How much is allowed: *quota* in each *window* of seconds, at most *burst* at once.

    Raises:
        ValueError: a number is not positive.
    """

    name: str
    quota: int
    window: float
    burst: int | None = None
    """None: as much as the quota."""

    def __post_init__(self) -> None:
        if self.quota < 1 or self.window <= 0 or self.capacity < 1:
            raise ValueError(f"the limit {self.name} is not positive")

    @property
    def capacity(self) -> int:
        """How much is allowed at once after a long rest."""
        return self.quota if self.burst is None else self.burst


@dataclass(frozen=True, slots=True)
class LimitDecision:
    """Whether something is allowed, and what is left; times are seconds from now."""

    allowed: bool
    limit: int
    """What is allowed at once after a long rest."""
    remaining: int
    """What is still allowed right now."""
    reset: float
    """Until all of it is allowed again, when nothing else is taken."""
    retry_after: float
    """Until the same would be allowed; 0 when it was."""


class Limits(Protocol):
    """Counts what is taken, by the Generic Cell Rate Algorithm: smoothly, without windows' edges."""

    async def take(self, key: str, policy: LimitPolicy, cost: int = 1) -> LimitDecision:
        """Take *cost* from what *policy* allows *key*, all of it or nothing.

        Policies of different names count apart.

        Raises:
            ValueError: *cost* is negative or more than is ever allowed at once.
            Unavailable: nobody can tell.
        """
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in the order of invalidations; what it holds concerns nobody but the cache that gave it."""

    tags: tuple[str, ...] = ()
    order: int = 0
    generations: tuple[bytes, ...] | None = None
    """Of the tags, on a server; None: no server said."""


class Cache(Protocol):
    """Values that are kept for a while, at most. Nothing here raises because a server is away."""

    async def get(self, key: str) -> bytes | None:
        """The value of *key*, unless it expired, was invalidated or pushed out, or never was."""
        ...

    async def moment(self, *tags: str) -> Moment:
        """Begin to work out a value that will bear *tags*.

        An invalidation of one of them from here on counts for the value, also when it comes before the value is set.
        """
        ...

    async def set(
        self,
        key: str,
        value: bytes,
        ttl: float,
        *,
        since: Moment | None = None,
        fence: int | None = None,
    ) -> None:
        """Keep *value* for *ttl* seconds, in the place of what was there.

        Nothing is kept when a tag was invalidated *since*, or when what is there has a higher *fence*.
        """
        ...

    async def delete(self, key: str) -> None:
        """Forget *key*."""
        ...

    async def invalidate(self, *tags: str) -> None:
        """Forget every value that bears one of *tags*, in all processes: within milliseconds while they are connected."""
        ...


class Listener(Protocol):
    """Hears what is published on a channel."""

    async def next(self, within: float) -> bytes | None:
        """The next message; None: none came *within* seconds, or some may have been missed."""
        ...


class Channels(Protocol):
    """Messages to whoever listens now. They may be lost, and anybody on the server can send them: hints, not facts."""

    async def publish(self, channel: str, message: bytes) -> None:
        """Send *message* to all who listen to *channel* now. Raises nothing."""
        ...

    def listen(self, channel: str) -> AbstractAsyncContextManager[Listener]:
        """Hear what is published on *channel* while the block lasts."""
        ...


class Lock(Protocol):
    """A lock that somebody holds for a time.

    It tells most processes most of the time that another is at work. It cannot stop one that was frozen, or whose time
    ran out in the middle of something: only whoever owns what is written can, by refusing a fence lower than one it has seen.
    """

    name: str
    fence: int
    """Higher than that of everybody who held the lock before."""
    lost: asyncio.Event
    """Set once it is known that somebody else may hold it."""

    @property
    def left(self) -> float:
        """Seconds for which it is surely held, if the clocks of holder and server run equally fast; 0: no longer."""
        ...

    async def extend(self, ttl: float) -> None:
        """Hold it for *ttl* seconds from now.

        Raises:
            LockLost: it is no longer held.
            Unavailable: nobody can tell.
        """
        ...

    async def release(self) -> None:
        """Hold it no longer; whoever waits hears of it. What is somebody else's by now stays theirs. Raises nothing."""
        ...


class LockLost(Conflict):
    """A lock is not held any more by whoever held it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the lock {name} is not held any more")


class Locks(Protocol):
    """Locks between processes, for a time; what they do and do not guarantee is said at `Lock`."""

    async def take(self, name: str, ttl: float) -> Lock | None:
        """Hold *name* for *ttl* seconds; None: somebody else does.

        Raises:
            Unavailable: nobody can tell.
        """
        ...

    def kept(self, lock: Lock, ttl: float) -> AbstractAsyncContextManager[None]:
        """Extend *lock* by *ttl* again and again while the block lasts; `Lock.lost` is set when that fails."""
        ...

    def waiting(self, name: str) -> AbstractAsyncContextManager[Listener]:
        """Hear when *name* is released while the block lasts: begin before `take`, and take it as a hint."""
        ...
