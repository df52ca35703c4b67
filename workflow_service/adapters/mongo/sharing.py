"""Work whose outcome several callers share."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """Does something so that everybody who asks for it has it done from its beginning, and those who wait share it.

    Args:
        work: what is done.
    """

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._one = asyncio.Lock()
        self._begun = 0
        self._done: tuple[int, T] | None = None
        """The last one that has ended well, and its outcome."""

    async def __call__(self) -> T:
        """Return the outcome of one that has begun since this was called."""
        wanted = self._begun + 1
        async with self._one:
            if self._done is not None and self._done[0] >= wanted:
                return self._done[1]
            self._begun += 1
            outcome = await self._work()
            self._done = self._begun, outcome
            return outcome
