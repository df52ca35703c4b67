"""Time that goes on evenly while the wall clock jumps."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import REGISTRY

from tests.support.time import ManualClock
from workflow_service.adapters.steady_clock import TOLERANCE, SteadyClock, running_time

SETTLE = 900.0
HOUR = 3_600.0


def jumped(clock: ManualClock, seconds: float) -> None:
    clock.set(clock.now() + timedelta(seconds=seconds))


def counted(direction: str) -> float:
    labels = {"direction": direction}
    return REGISTRY.get_sample_value("workflow_clock_jumps_total", labels) or 0.0


def test_without_jumps_it_is_the_wall_clock() -> None:
    clock = ManualClock()
    steady = SteadyClock(clock, settle=SETTLE)
    clock.advance(10_000)

    assert (steady.now(), steady.monotonic()) == (clock.now(), clock.monotonic())


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR, 24 * HOUR, -24 * HOUR])
def test_a_jump_that_goes_back_has_never_been(jump: float) -> None:
    clock = ManualClock()
    steady, start = SteadyClock(clock, settle=SETTLE), clock.now()
    jumped(clock, jump)
    clock.advance(60)
    assert steady.now() == start + timedelta(seconds=60)
    jumped(clock, -jump)
    clock.advance(SETTLE)
    assert steady.now() == clock.now() == start + timedelta(seconds=60 + SETTLE)


@pytest.mark.parametrize("jump", [2 * HOUR, -2 * HOUR])
def test_a_jump_that_lasts_is_believed(jump: float) -> None:
    clock = ManualClock()
    steady = SteadyClock(clock, settle=SETTLE)
    jumped(clock, jump)
    assert steady.now() != clock.now()
    clock.advance(SETTLE - 1)
    assert steady.now() != clock.now()
    clock.advance(1)
    assert steady.now() == clock.now()


def test_each_new_jump_has_to_last_by_itself_and_is_counted() -> None:
    clock = ManualClock()
    steady = SteadyClock(clock, settle=SETTLE)
    start, before = clock.now(), (counted("forward"), counted("backward"))
    for jump in (HOUR, HOUR, -3 * HOUR):
        jumped(clock, jump)
        assert steady.now() == start + timedelta(seconds=clock.monotonic() - 1_000.0)
        clock.advance(SETTLE - 1)
        assert steady.now() == start + timedelta(seconds=clock.monotonic() - 1_000.0)

    assert (counted("forward"), counted("backward")) == (before[0] + 2, before[1] + 1)


def test_a_difference_that_nobody_minds_changes_nothing() -> None:
    clock = ManualClock()
    steady, start = SteadyClock(clock, settle=0), clock.now()
    jumped(clock, TOLERANCE)

    assert steady.now() == start


@given(
    st.lists(
        st.tuples(
            st.sampled_from([-86_400.0, -7_200.0, 0.0, 7_200.0, 86_400.0]), st.floats(0.0, 10.0)
        ),
        max_size=50,
    )
)
def test_whatever_the_wall_clock_does_for_a_while_time_goes_on_evenly(
    steps: list[tuple[float, float]],
) -> None:
    clock = ManualClock()
    steady, start, began = SteadyClock(clock, settle=SETTLE), clock.now(), clock.monotonic()
    for jump, seconds in steps:
        jumped(clock, jump)
        clock.advance(seconds)
        passed = (steady.now() - start).total_seconds()
        assert passed == pytest.approx(clock.monotonic() - began, abs=0.001)


def test_time_that_the_machine_sleeps_counts() -> None:
    clock, slept = ManualClock(), 0.0
    steady = SteadyClock(clock, settle=SETTLE, elapsed=lambda: clock.monotonic() + slept)
    slept = 8 * HOUR
    jumped(clock, slept)

    assert steady.now() == clock.now()
    assert running_time() <= running_time()
