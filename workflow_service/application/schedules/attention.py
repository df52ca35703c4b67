"""Since when somebody has been looking at the clock without a break."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

BREAK: Final = 10.0
"""Seconds without a look after which what came due meanwhile counts as missed."""
TOLERANCE: Final = 1.0
"""Seconds by which a clock may go back without anybody minding."""


class Attention:
    """Notices breaks: the process did not run, the machine slept, the clock was put forward, the store was away."""

    def __init__(self, now: datetime) -> None:
        self.since = now
        self._last = now

    def look(self, now: datetime) -> Literal["steady", "break", "back"]:
        """Say what lies between the last look and this one; after a break, attention begins anew."""
        gap = (now - self._last).total_seconds()
        self._last = now
        if -TOLERANCE <= gap <= BREAK:
            return "steady"
        self.since = now
        return "break" if gap > 0 else "back"
