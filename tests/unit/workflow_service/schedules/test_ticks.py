"""When the ticks of a schedule are, also where a clock is put forward or back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest

from workflow_service.domain.schedules.model import Cron, Every
from workflow_service.domain.schedules.ticks import (
    cron_problem,
    is_zone,
    next_tick,
    ticks_back,
)

BERLIN = "Europe/Berlin"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ticks(trigger: Every | Cron, after: str, count: int = 3) -> list[str]:
    """The next ticks in UTC, without the year."""
    moment: datetime | None = at(after)
    found: list[str] = []
    while len(found) < count and moment is not None:
        moment = next_tick(trigger, at("2026-01-01 00:00"), moment)
        found.append("" if moment is None else f"{moment:%m-%d %H:%M}")
    return found


def test_a_daily_tick_follows_the_local_clock() -> None:
    nine = Cron("0 9 * * *", BERLIN)

    assert ticks(nine, "2026-03-27 12:00") == ["03-28 08:00", "03-29 07:00", "03-30 07:00"]


def test_what_falls_into_the_hour_that_is_skipped_happens_right_after_it() -> None:
    # On 29 March at 2 o'clock local time it is 3 o'clock at once, which is 1 o'clock in UTC.
    half_past_two = Cron("30 2 * * *", BERLIN)

    assert ticks(half_past_two, "2026-03-28 00:00") == ["03-28 01:30", "03-29 01:00", "03-30 00:30"]


def test_what_is_due_in_the_hour_that_comes_twice_happens_once() -> None:
    half_past_two = Cron("30 2 * * *", BERLIN)

    assert ticks(half_past_two, "2026-10-24 12:00") == ["10-25 00:30", "10-26 01:30", "10-27 01:30"]


def test_what_is_due_every_half_hour_goes_on_through_both() -> None:
    steady = Cron("*/30 * * * *", BERLIN)

    assert ticks(steady, "2026-10-24 23:45", 4) == [
        "10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30"
    ]  # fmt: skip
    assert ticks(steady, "2026-03-29 00:15", 3) == ["03-29 00:30", "03-29 01:00", "03-29 01:30"]


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC"])
@pytest.mark.parametrize(
    "expression", ["30 2 * * *", "*/20 * * * *", "15 * * * 7", "0 0 1 * *", "30 1,2 * 3,10 *"]
)
def test_looking_back_finds_the_same_ticks_as_looking_ahead(expression: str, zone: str) -> None:
    trigger = Cron(expression, zone)
    for begin in (at("2026-03-07 00:00"), at("2026-03-28 00:00"), at("2026-10-03 00:00")):
        end = begin + timedelta(days=32)
        ahead: list[datetime] = []
        moment = next_tick(trigger, begin, begin)
        while moment is not None and moment <= end:
            ahead.append(moment)
            moment = next_tick(trigger, begin, moment)
        back = list(takewhile(begin.__lt__, ticks_back(trigger, begin, end)))

        assert back == ahead[::-1]


def test_the_tick_that_is_now_is_found_by_looking_back_and_not_by_looking_ahead() -> None:
    trigger, now = Cron("0 9 * * *", "UTC"), at("2026-01-15 09:00")

    assert next(ticks_back(trigger, now, now)) == now
    assert next_tick(trigger, now, now) == now + timedelta(days=1)


def test_a_period_is_counted_from_the_beginning_in_both_directions() -> None:
    trigger, anchor = Every(90), at("2026-01-15 09:00")

    assert next_tick(trigger, anchor, anchor) == anchor + timedelta(seconds=90)
    assert next_tick(trigger, anchor, anchor - timedelta(seconds=1)) == anchor
    late = anchor + timedelta(seconds=200)
    assert list(islice(ticks_back(trigger, anchor, late), 3)) == [
        anchor + timedelta(seconds=seconds) for seconds in (180, 90, 0)
    ]


def test_a_day_that_no_year_has_never_comes() -> None:
    assert cron_problem("0 0 30 2 *") is not None
    assert cron_problem("0 0 29 2 *") is None


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("@daily", "has 1 fields"),
        ("0 0 * * * *", "has 6 fields"),
        ("61 * * * *", "bad minute"),
        ("* * * * MON-XXX", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
        (",".join(["1"] * 200) + " * * * *", "at most 256 characters"),
        ("9" * 200 + " * * * *", "bad minute"),
    ],
)
def test_what_is_no_cron_expression_is_told(expression: str, told: str) -> None:
    assert told in (cron_problem(expression) or "")


def test_zones_have_names() -> None:
    assert is_zone(BERLIN)
    assert is_zone("UTC")
    for name in ("Europe", "Europe/Atlantis", "../etc/passwd", "", "/etc/localtime", "a" * 5000):
        assert not is_zone(name), name
