"""What is to be started now, and when to look again: decided from what is known, without a clock of its own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice, takewhile

import msgspec

from workflow_service.domain.schedules.model import After, Cron, Every, On, Schedule, Trigger
from workflow_service.domain.schedules.ticks import next_tick, ticks_back


class Firing(msgspec.Struct, frozen=True):
    """What follows from a schedule that is due."""

    starts: tuple[datetime, ...]
    """The ticks to start an execution for, the earliest first."""
    missed: int
    """How many others there were; those that lie too far back are not counted."""
    next_at: datetime | None
    """The tick after them; None where the end of an execution decides about that."""


def first_tick(trigger: Trigger, now: datetime) -> datetime | None:
    """Return the first tick of a schedule that begins now; None when it will never have one."""
    match trigger:
        case Every() | Cron():
            return next_tick(trigger, now, now)
        case After():
            return now
        case On():
            return None


def tick_after_end(trigger: After, ended_at: datetime) -> datetime:
    """Return when to start again after an end."""
    return ended_at + timedelta(seconds=trigger.seconds)


def fire(
    schedule: Schedule,
    anchor: datetime,
    due: datetime,
    now: datetime,
    *,
    attentive_since: datetime,
    most: int,
) -> Firing:
    """Say what to do about a schedule whose tick *due* has come.

    Args:
        schedule: what it says.
        anchor: when it began.
        due: its first tick for which nothing was done.
        now: the time.
        attentive_since: since when somebody has been looking without a break; ticks before it were missed.
        most: how many ticks may be started for at once; the latest ones are.
    """
    trigger = schedule.trigger
    if isinstance(trigger, After | On):
        return Firing((due,), 0, None)
    found = list(islice(_due(trigger, anchor, due, now), most))
    seen = [tick for tick in found if tick >= attentive_since]
    missed = found[len(seen) :]
    match schedule.missed:
        case "skip":
            chosen = seen
        case "one":
            chosen = seen or missed[:1]
        case "all":
            chosen = found
    starts = tuple(reversed(chosen[:most]))
    return Firing(starts, len(found) - len(starts), next_tick(trigger, anchor, now))


def _due(
    trigger: Every | Cron, anchor: datetime, due: datetime, now: datetime
) -> Iterator[datetime]:
    return takewhile(lambda tick: tick >= due, ticks_back(trigger, anchor, now))
