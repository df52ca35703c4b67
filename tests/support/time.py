"""A clock that tests own, and waiting with a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Stands still until a test moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1_000.0

    def now(self) -> datetime:
        """The wall clock as the test has set it."""
        return self._now

    def monotonic(self) -> float:
        """Seconds; they move only with `advance`, as a real monotonic clock ignores being set."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass on both clocks."""
        if seconds < 0:
            raise ValueError("time does not run backwards; use set() to change the wall clock")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set(self, now: datetime) -> None:
        """Set the wall clock alone, forwards or backwards."""
        if now.tzinfo is None:
            raise ValueError("a wall clock needs a time zone")
        self._now = now.astimezone(UTC)


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]], *, within: float = 20.0
) -> None:
    """Wait until *condition* holds; fail when it does not *within* seconds of real time."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{condition} did not come to hold within {within} s")
        await asyncio.sleep(0.005)
