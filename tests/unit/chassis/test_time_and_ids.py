import uuid
from datetime import UTC, datetime

import pytest

from chassis.clock import Clock, SystemClock
from chassis.ids import Ids, RandomIds
from tests.support.ids import CountingIds
from tests.support.time import ManualClock


def test_the_system_clock_is_in_utc_and_its_other_hand_never_goes_back() -> None:
    clock: Clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()


def test_random_ids_are_uuids_of_version_7() -> None:
    made = uuid.UUID(RandomIds().new())
    assert (made.variant, made.version) == (uuid.RFC_4122, 7)


def test_random_ids_sort_as_they_were_made() -> None:
    ids: Ids = RandomIds()
    made = [ids.new() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_random_ids_tell_when_they_were_made() -> None:
    milliseconds = uuid.UUID(RandomIds().new()).int >> 80
    assert abs(milliseconds / 1000 - datetime.now(UTC).timestamp()) < 60


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock()
    before, monotonic = clock.now(), clock.monotonic()
    clock.advance(1.5)
    assert (clock.now() - before).total_seconds() == 1.5
    assert clock.monotonic() - monotonic == 1.5


def test_setting_a_manual_clock_back_leaves_its_monotonic_hand_alone() -> None:
    clock = ManualClock()
    monotonic = clock.monotonic()
    clock.set(datetime(2020, 1, 1, tzinfo=UTC))
    assert clock.monotonic() == monotonic
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)


def test_counting_ids_can_be_predicted() -> None:
    ids: Ids = CountingIds("run")
    assert [ids.new(), ids.new()] == ["run-000001", "run-000002"]
