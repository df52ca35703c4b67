"""What a caller believes of an instance, by what its calls and its questions came to."""

from typing import cast

import grpc
import pytest

from chassis.rpc.instances import DOUBT, FAILURES, FIRST_PAUSE, LONGEST_SILENCE, Instance, Turn

LATER = DOUBT + 0.1


@pytest.fixture
def instance() -> Instance:
    return Instance("there:1", cast("grpc.aio.Channel", None))


def failed(instance: Instance, now: float = 0.0) -> Turn | None:
    instance.begin(now)
    return instance.end(answered=False, now=now)


def left_out(instance: Instance) -> Instance:
    for _ in range(FAILURES):
        failed(instance)
    return instance


def test_it_is_left_out_after_some_failures_in_a_row(instance: Instance) -> None:
    assert [failed(instance) for _ in range(FAILURES)] == [None, None, Turn.LEFT_OUT]
    assert not instance.takes_calls()


def test_it_is_asked_before_a_call_may_try_it(instance: Instance) -> None:
    left_out(instance)

    assert not instance.is_doubtful(FIRST_PAUSE / 2)
    assert instance.is_doubtful(FIRST_PAUSE)
    assert not instance.takes_calls()
    assert instance.probed(answered=True, now=FIRST_PAUSE) is None
    assert instance.takes_calls()


def test_one_call_may_try_it_and_brings_it_back(instance: Instance) -> None:
    left_out(instance).probed(answered=True, now=1.0)
    instance.begin(1.0)

    assert not instance.takes_calls()
    assert instance.end(answered=True, now=1.0) is Turn.BACK
    assert instance.takes_calls()


def test_a_stream_that_says_something_brings_it_back_before_it_ends(instance: Instance) -> None:
    left_out(instance).probed(answered=True, now=1.0)
    instance.begin(1.0)

    assert instance.heard(1.0) is Turn.BACK
    assert instance.takes_calls()


def test_a_trial_that_fails_leaves_it_out_for_longer(instance: Instance) -> None:
    left_out(instance).probed(answered=True, now=1.0)

    assert failed(instance, 1.0) is Turn.LEFT_OUT
    assert not instance.is_doubtful(1.0 + FIRST_PAUSE)
    assert instance.is_doubtful(1.0 + 2 * FIRST_PAUSE)


def test_one_that_says_nothing_is_asked_again_within_seconds(instance: Instance) -> None:
    left_out(instance)
    for now in range(10, 100, 10):
        assert instance.is_doubtful(now)
        assert instance.probed(answered=False, now=now) is None

    assert instance.is_doubtful(90 + LONGEST_SILENCE)


def test_one_that_owes_an_answer_is_asked_whether_it_is_there(instance: Instance) -> None:
    instance.begin(0.0)

    assert not instance.is_doubtful(DOUBT / 2)
    assert instance.is_doubtful(LATER)
    assert instance.takes_calls()


def test_one_that_is_there_may_take_its_time(instance: Instance) -> None:
    instance.begin(0.0)
    instance.probed(answered=True, now=LATER)

    assert not instance.is_doubtful(LATER)
    assert instance.takes_calls()


def test_one_that_is_not_there_is_left_out_at_once(instance: Instance) -> None:
    instance.begin(0.0)

    assert instance.probed(answered=False, now=LATER) is Turn.LEFT_OUT
    assert not instance.takes_calls()


def test_callers_that_leave_soon_leave_a_doubt(instance: Instance) -> None:
    for now in (0.0, DOUBT / 2):
        instance.begin(now)
        instance.end(answered=None, now=now + 0.1)

    assert not instance.is_doubtful(DOUBT / 2)
    assert instance.is_doubtful(LATER)


def test_an_answer_takes_doubt_away(instance: Instance) -> None:
    instance.begin(0.0)
    instance.end(answered=None, now=LATER)
    instance.begin(LATER)
    instance.end(answered=True, now=LATER)

    assert not instance.is_doubtful(100.0)


def test_nobody_asks_twice_at_a_time(instance: Instance) -> None:
    instance.begin(0.0)
    instance.asked()

    assert not instance.is_doubtful(100.0)


def test_an_answer_says_more_than_a_question_without_one(instance: Instance) -> None:
    instance.begin(0.0)
    instance.asked()
    instance.heard(LATER)

    assert instance.probed(answered=False, now=LATER + 1.0) is None
    assert instance.takes_calls()


def test_a_trial_that_says_nothing_keeps_nobody_away_for_long(instance: Instance) -> None:
    left_out(instance).probed(answered=True, now=1.0)
    instance.begin(1.0)

    assert not instance.is_doubtful(1.0 + DOUBT / 2)
    assert instance.is_doubtful(1.0 + LATER)
    assert instance.probed(answered=True, now=1.0 + LATER) is None
    assert instance.takes_calls()
