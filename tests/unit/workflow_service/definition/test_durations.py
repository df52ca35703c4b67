"""Durations mean seconds, however they are written."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_service.domain.definition.durations import (
    LONGEST,
    duration_seconds,
    parse_iso8601_duration,
)
from workflow_service.domain.expressions import JsonValue

PARTS = st.integers(0, 1000)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT0S", 0),
        ("PT30S", 30),
        ("PT1.5S", 1.5),
        ("PT0,25S", 0.25),
        ("PT15M", 900),
        ("PT1H30M", 5400),
        ("P1D", 86_400),
        ("P0.5D", 43_200),
        ("P1W", 604_800),
        ("P1W1DT1H", 604_800 + 86_400 + 3600),
        ("P1M", 30 * 86_400),
        ("P1Y", 365 * 86_400),
        ("P1Y2M3DT4H5M6S", (365 + 60 + 3) * 86_400 + 4 * 3600 + 5 * 60 + 6),
        ("P100Y", LONGEST),
    ],
)
def test_iso_8601_durations_are_read(text: str, seconds: float) -> None:
    assert parse_iso8601_duration(text) == pytest.approx(seconds)
    assert duration_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1", "1D", "PT1", "P1S", "PT1D", "P1DT", "p1d", "PT1S ", "10 seconds", "P1M1Y",
     "PT1S1M", "P1.D", "P.5D", "P1H", "P\u0661D", "P1e3D", "PT1SS", "PTS", "P" + "9" * 400 + "D"],
)  # fmt: skip
def test_what_is_no_iso_8601_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not an ISO 8601 duration: write, for example, PT30S"):
        parse_iso8601_duration(text)


@pytest.mark.parametrize("text", ["-PT1S", "P-1D", "PT-1S"])
def test_negative_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is negative"):
        parse_iso8601_duration(text)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ({"seconds": 30}, 30),
        ({"days": 1, "hours": 2, "minutes": 3, "seconds": 4, "milliseconds": 5}, 93_784.005),
        ({"milliseconds": 1}, 0.001),
        ({"minutes": 1.5}, 90),
        ({"seconds": 0}, 0),
    ],
)
def test_objects_of_units_are_read(value: JsonValue, seconds: float) -> None:
    assert duration_seconds(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "a duration is"),
        (None, "a duration is"),
        (5, "a duration is"),
        ([], "a duration is"),
        ({"weeks": 1}, "'weeks' is not a unit of time"),
        ({"seconds": -1}, "seconds must not be negative"),
        ({"hours": 1, "minutes": -5}, "minutes must not be negative"),
        ({"seconds": "1"}, "seconds must be a number"),
        ({"seconds": True}, "seconds must be a number"),
        ({"days": 36_501}, "at most 100 years"),
        ({"days": 10**18}, "at most 100 years"),
        ({"days": float("inf")}, "at most 100 years"),
        ("P101Y", "at most 100 years"),
    ],
)
def test_other_values_are_refused_with_a_reason(value: JsonValue, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        duration_seconds(value)


@given(PARTS, PARTS, PARTS, PARTS)
def test_both_ways_of_writing_a_duration_agree(d: int, h: int, m: int, s: int) -> None:
    written: JsonValue = {"days": d, "hours": h, "minutes": m, "seconds": s}
    assert parse_iso8601_duration(f"P{d}DT{h}H{m}M{s}S") == duration_seconds(written)


@given(st.text())
def test_no_text_makes_anything_but_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert 0 <= duration_seconds(text) <= LONGEST
