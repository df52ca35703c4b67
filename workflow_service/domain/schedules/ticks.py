"""The moments of a schedule.

A cron expression is read in a time zone whose clock is sometimes put forward or back. As Debian's cron has it, what falls
into the hour that is skipped happens right after it, and what is due at a fixed time of the hour that comes twice happens
the first time only; what is due every so many minutes or every hour goes on through both.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from workflow_service.domain.schedules.model import Cron, Every

_FIELDS = 5
_LONGEST = 256
_MINUTE = timedelta(minutes=1)


def next_tick(trigger: Every | Cron, anchor: datetime, after: datetime) -> datetime | None:
    """Return the first tick later than *after*; None when there will be none.

    Args:
        trigger: what makes the ticks; of a cron expression the zone is known.
        anchor: when the schedule began; a period is counted from there, in both directions.
        after: a time.
    """
    match trigger:
        case Every(seconds):
            period = timedelta(seconds=seconds)
            return anchor + ((after - anchor) // period + 1) * period
        case Cron(expression, zone):
            ticks = (tick.astimezone(UTC) for tick in CronSim(expression, _local(after, zone)))
            return next((tick for tick in ticks if tick > after), None)


def ticks_back(trigger: Every | Cron, anchor: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the ticks up to *until*, the latest first."""
    match trigger:
        case Every(seconds):
            period = timedelta(seconds=seconds)
            count = (until - anchor) // period
            while True:
                yield anchor + count * period
                count -= 1
        case Cron(expression, zone):
            begin = _local(until + _MINUTE, zone)
            ticks = (tick.astimezone(UTC) for tick in CronSim(expression, begin, reverse=True))
            yield from (tick for tick in ticks if tick <= until)


def _local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone or "UTC"))


def cron_problem(expression: str) -> str | None:
    """Say what is wrong with a cron expression, or None when it is one with a future."""
    fields = len(expression.split())
    if fields != _FIELDS:
        return (
            f"has {fields} fields: a cron expression has {_FIELDS}, such as '30 9 * * MON-FRI'"
            " (minute, hour, day of the month, month, day of the week)"
        )
    if len(expression) > _LONGEST:
        return f"may have at most {_LONGEST} characters"
    try:
        if next(CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC)), None) is None:
            return "never comes"
    except CronSimError as wrong:
        return f"is not a cron expression: {str(wrong).lower()}"
    return None


def is_zone(name: str) -> bool:
    """Whether *name* is that of a time zone."""
    try:
        return bool(ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
