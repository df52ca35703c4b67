"""When a key is next, current, retired; and when another one is due."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.domain.signing_key import (
    KeyPair,
    KeySchedule,
    KeyState,
    KeyUse,
    SigningKey,
    key_due,
    published_keys,
    signing_key,
)

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SCHEDULE = KeySchedule(rotation=30 * DAY, announced=DAY, kept=timedelta(hours=1))
ACCESS = KeyUse.ACCESS


def grow(keys: list[SigningKey], now: datetime, schedule: KeySchedule = SCHEDULE) -> None:
    due = key_due(ACCESS, keys, schedule, now)
    if due is not None:
        keys.append(due.filled_with(KeyPair(f"key-{len(keys) + 1}", b"")))


def kid(key: SigningKey | None) -> str:
    assert key is not None
    return key.kid


@pytest.fixture
def keys() -> list[SigningKey]:
    first: list[SigningKey] = []
    grow(first, START)
    return first


def test_without_a_key_one_is_due_that_signs_at_once(keys: list[SigningKey]) -> None:
    assert keys[0].state(START) is KeyState.CURRENT
    assert keys[0].follows == ""


def test_while_a_key_is_current_none_is_due(keys: list[SigningKey]) -> None:
    assert key_due(ACCESS, keys, SCHEDULE, START + 28 * DAY) is None


def test_the_next_key_is_published_a_day_before_it_signs(keys: list[SigningKey]) -> None:
    now = START + 29 * DAY
    grow(keys, now)

    assert [key.state(now) for key in keys] == [KeyState.CURRENT, KeyState.NEXT]
    assert kid(signing_key(ACCESS, keys, now)) == "key-1"
    assert [key.kid for key in published_keys(ACCESS, keys, now)] == ["key-1", "key-2"]


def test_a_retired_key_verifies_until_its_last_token_is_dead(keys: list[SigningKey]) -> None:
    grow(keys, START + 29 * DAY)
    rotated = START + 30 * DAY

    assert kid(signing_key(ACCESS, keys, rotated)) == "key-2"
    assert [key.kid for key in published_keys(ACCESS, keys, rotated)] == ["key-1", "key-2"]
    assert [key.kid for key in published_keys(ACCESS, keys, rotated + timedelta(hours=1))] == [
        "key-2"
    ]


def test_after_a_long_pause_a_new_key_signs_at_once(keys: list[SigningKey]) -> None:
    now = START + 400 * DAY
    grow(keys, now)

    assert keys[1].follows == "key-1"
    assert kid(signing_key(ACCESS, keys, now)) == "key-2"


def test_a_clock_that_went_back_makes_no_key(keys: list[SigningKey]) -> None:
    before = START - 2 * DAY

    assert key_due(ACCESS, keys, SCHEDULE, before) is None
    assert kid(signing_key(ACCESS, keys, before)) == "key-1"


def test_keys_of_one_use_say_nothing_about_the_other(keys: list[SigningKey]) -> None:
    assert key_due(KeyUse.INTERNAL, keys, SCHEDULE, START) is not None
    assert signing_key(KeyUse.INTERNAL, keys, START) is None
    assert published_keys(KeyUse.INTERNAL, keys, START) == ()


def test_a_short_rotation_still_leaves_time_to_announce() -> None:
    assert KeySchedule(rotation=DAY, announced=DAY).announced == DAY / 2


@given(st.lists(st.integers(min_value=0, max_value=60 * 24 * 20), max_size=40))
def test_whenever_somebody_looks_exactly_one_key_signs_and_it_is_published(
    minutes: list[int],
) -> None:
    keys: list[SigningKey] = []
    now = START
    for step in minutes:
        now += timedelta(minutes=step)
        grow(keys, now)
        signing = signing_key(ACCESS, keys, now)
        assert signing is not None
        assert signing.state(now) is KeyState.CURRENT
        assert signing in published_keys(ACCESS, keys, now)
