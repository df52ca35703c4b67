"""What is decided about schedules."""

from __future__ import annotations

from typing import Final

from chassis.config import Environment
from workflow_service.application.schedules.settings import ScheduleSettings
from workflow_service.domain.bounds import SETTING
from workflow_service.domain.schedules.ticks import is_zone

_ZONE: Final = "AUTOWORKER_SCHEDULE_TIMEZONE"


def schedules_from(env: Environment) -> ScheduleSettings:
    """Read the settings; problems are told by the environment's own check."""
    zone = env.text(_ZONE, "UTC")
    if not is_zone(zone):
        env.problem(_ZONE, "must be the name of a time zone, such as Europe/Berlin or UTC")
    return ScheduleSettings(
        zone=zone,
        most=env.integer(_limit("schedules"), 1_000, minimum=1, maximum=1_000_000),
        events=env.integer(_limit("schedule_events"), 1_000, minimum=1, maximum=100_000),
        missed=env.integer(_limit("schedule_missed"), 100, minimum=1, maximum=10_000),
    )


def _limit(name: str) -> str:
    return SETTING + name.upper()
