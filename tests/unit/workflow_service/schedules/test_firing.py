"""What is started when a schedule is due, and what is done about ticks that nobody saw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from workflow_service.domain.schedules.firing import Firing, fire, first_tick, tick_after_end
from workflow_service.domain.schedules.model import After, Cron, Every, Missed, Schedule

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=365)


def minutes(*numbers: float) -> tuple[datetime, ...]:
    return tuple(NOON + timedelta(minutes=number) for number in numbers)


def fired(
    missed: Missed, *, now: float, attentive: float, due: float = 1, most: int = 100
) -> Firing:
    """What is done at minute *now* about a tick each minute, if *due* is the first that nothing was done for."""
    (due_at, now_at, since) = minutes(due, now, attentive)
    schedule = Schedule(Every(60), missed=missed)
    return fire(schedule, NOON, due_at, now_at, attentive_since=since, most=most)


@pytest.mark.parametrize("missed", get_args(Missed))
def test_a_tick_that_somebody_waited_for_is_started(missed: Missed) -> None:
    assert fired(missed, now=1, attentive=0) == Firing(minutes(1), 0, *minutes(2))


@pytest.mark.parametrize("missed", get_args(Missed))
def test_ticks_that_came_due_while_the_store_was_slow_are_all_started(missed: Missed) -> None:
    assert fired(missed, now=3.5, attentive=0).starts == minutes(1, 2, 3)


def test_after_a_break_the_missed_ticks_can_be_skipped() -> None:
    assert fired("skip", now=5.5, attentive=5.5) == Firing((), 5, *minutes(6))


def test_after_a_break_one_start_can_stand_for_all_that_were_missed() -> None:
    assert fired("one", now=5.5, attentive=5.5) == Firing(minutes(5), 4, *minutes(6))


def test_after_a_break_every_missed_tick_can_be_started() -> None:
    assert fired("all", now=5.5, attentive=5.5) == Firing(minutes(1, 2, 3, 4, 5), 0, *minutes(6))


def test_but_not_more_than_is_allowed_and_then_the_latest_ones() -> None:
    assert fired("all", now=50.5, attentive=50.5, most=3).starts == minutes(48, 49, 50)


@pytest.mark.parametrize(
    ("missed", "starts"), [("skip", (5, 6)), ("one", (5, 6)), ("all", (1, 2, 3, 4, 5, 6))]
)
def test_what_came_due_after_the_break_is_started_in_any_case(
    missed: Missed, starts: tuple[int, ...]
) -> None:
    assert fired(missed, now=6.5, attentive=4.5).starts == minutes(*starts)


def test_a_year_of_missed_minutes_is_looked_at_no_further_than_allowed() -> None:
    schedule = Schedule(Cron("* * * * *", "Europe/Berlin"), missed="one")
    firing = fire(schedule, LONG_AGO, LONG_AGO, NOON, attentive_since=NOON, most=100)

    assert firing.starts == (NOON,)
    assert firing.next_at == NOON + timedelta(minutes=1)


def test_a_pause_after_the_end_has_one_start_however_late() -> None:
    schedule = Schedule(After(60))
    firing = fire(schedule, LONG_AGO, LONG_AGO, NOON, attentive_since=NOON, most=100)

    assert firing == Firing((LONG_AGO,), 0, None)
    assert tick_after_end(After(60), NOON) == NOON + timedelta(minutes=1)


def test_a_period_begins_with_its_first_pause_and_a_pause_after_the_end_with_a_start() -> None:
    assert first_tick(Every(60), NOON) == NOON + timedelta(minutes=1)
    assert first_tick(After(60), NOON) == NOON
    assert first_tick(Cron("0 12 * * *", "UTC"), NOON) == NOON + timedelta(days=1)
