"""What may be forgotten: limits and cached values. Losing it costs speed, never correctness."""

from dataclasses import dataclass
from typing import Protocol


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


class Cache(Protocol):
    """Values that are kept for a while, at most."""

    async def get(self, key: str) -> bytes | None:
        """The value of *key*, unless it expired, was pushed out, or never was."""
        ...

    async def set(self, key: str, value: bytes, ttl: float) -> None:
        """Keep *value* for *ttl* seconds, in the place of what was there."""
        ...

    async def delete(self, key: str) -> None:
        """Forget *key*."""
        ...
