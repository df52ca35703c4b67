"""Time as a port: production asks the machine, tests own it."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The wall clock, aware and in UTC; it may jump when somebody sets it."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go backwards: for durations and deadlines."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """The wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The monotonic clock of the process, in seconds."""
        return time.monotonic()
