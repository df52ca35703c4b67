"""A wall clock that does not jump: by it timers are set and fired.

Somebody sets the machine's clock two hours forward: an hour's wait that began a minute ago must not end now. So within a
process time goes on as the monotonic clock says, from what the wall clock said at the start. A wall clock that differs
is not believed at once, since clocks that jump often jump back; one that differs by the same amount for as long as it
takes to settle is right, and is followed from then on.

Over a restart there is only the wall clock: what it has jumped while no process ran counts as time that has passed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chassis.clock import Clock
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

_log = get_logger("workflow_service.clock")

TOLERANCE: Final = 1.0
"""Seconds that the clocks may differ without anybody minding."""

_JUMPS: Final = metrics.counter(
    "workflow_clock_jumps_total", "Jumps of the wall clock that were seen.", ["direction"]
)
_BELIEVED: Final = metrics.counter(
    "workflow_clock_jumps_believed_total", "Jumps that lasted, and were followed.", ["direction"]
)


@dataclass(frozen=True, slots=True)
class _Jump:
    offset: float
    seen: float

    @property
    def direction(self) -> str:
        return "forward" if self.offset > 0 else "backward"


class SteadyClock:
    """The ``Clock`` port.

    Args:
        clock: the machine's.
        settle: seconds for which the wall clock must differ by the same amount until it is believed.
        elapsed: seconds that have passed, of a clock that nobody sets; the monotonic one by default.
    """

    def __init__(
        self, clock: Clock, *, settle: float, elapsed: Callable[[], float] | None = None
    ) -> None:
        self._clock = clock
        self._settle = settle
        self._elapsed = elapsed or clock.monotonic
        self._base, self._since = clock.now(), self._elapsed()
        self._jump: _Jump | None = None

    def now(self) -> datetime:
        """The time: that of the wall clock, but for its jumps of late."""
        elapsed, wall = self._elapsed(), self._clock.now()
        steady = self._base + timedelta(seconds=elapsed - self._since)
        offset = (wall - steady).total_seconds()
        if abs(offset) <= TOLERANCE:
            self._jump = None
            return steady
        jump = self._jump
        if jump is None or abs(offset - jump.offset) > TOLERANCE:
            jump = self._jump = _Jump(offset, elapsed)
            _JUMPS.child(jump.direction).inc()
            _log.warning("clock_jumped", seconds=round(offset, 3), believed_after=self._settle)
        if elapsed - jump.seen < self._settle:
            return steady
        self._base, self._since, self._jump = wall, elapsed, None
        _BELIEVED.child(jump.direction).inc()
        _log.warning("clock_believed", seconds=round(offset, 3))
        return wall

    def monotonic(self) -> float:
        """Seconds of the monotonic clock."""
        return self._clock.monotonic()


def running_time() -> float:
    """Return seconds that go on while the machine sleeps, where it can tell; waking up is no jump then."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
