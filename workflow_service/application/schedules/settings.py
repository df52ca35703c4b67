"""What an operator decides about schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ScheduleSettings:
    """Bounds, and what holds where a definition says nothing."""

    zone: str = "UTC"
    """Time zone of cron expressions that name none."""
    most: int = 1_000
    """How many schedules a tenant may have."""
    events: int = 1_000
    """How many groups of events one schedule may have gathered, and as many may wait for their start."""
    missed: int = 100
    """How many ticks of one schedule may be started for at once."""


DEFAULT_SCHEDULES: Final = ScheduleSettings()
