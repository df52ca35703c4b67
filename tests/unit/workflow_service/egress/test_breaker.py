"""When a host is left alone, and when it is tried again; no clock but the test's."""

import pytest

from workflow_service.adapters.egress.breaker import (
    Breaker,
    BreakerPolicy,
    RetryBudget,
    State,
    Verdict,
)
from workflow_service.adapters.egress.retry_after import retry_after

POLICY = BreakerPolicy(window=10, minimum=4, failure_rate=0.5, open_for=5)
GOOD, BAD, NOTHING = Verdict.GOOD, Verdict.BAD, Verdict.NOTHING


def after(*verdicts: Verdict, at: float = 100.0) -> Breaker:
    breaker = Breaker(POLICY)
    for verdict in verdicts:
        breaker.leave(breaker.enter(), verdict, at)
    return breaker


@pytest.mark.parametrize(
    ("verdicts", "state"),
    [
        ([], State.CLOSED),
        ([BAD] * 3, State.CLOSED),
        ([BAD] * 4, State.OPEN),
        ([GOOD, BAD, GOOD, BAD], State.OPEN),
        ([GOOD, BAD, GOOD, GOOD, BAD], State.CLOSED),
        ([NOTHING] * 9 + [BAD] * 3, State.CLOSED),
    ],
)
def test_it_opens_at_the_rate_once_there_are_enough_calls(
    verdicts: list[Verdict], state: State
) -> None:
    assert after(*verdicts).state(100.0) is state


def test_failures_of_long_ago_do_not_count() -> None:
    breaker = after(BAD, BAD, BAD)

    breaker.leave(breaker.enter(), BAD, 111.0)

    assert breaker.state(111.0) is State.CLOSED


def test_while_open_it_says_how_long_still() -> None:
    breaker = after(*[BAD] * 4)

    assert breaker.closed_for(100.0) == 5.0
    assert breaker.closed_for(104.0) == 1.0
    assert breaker.closed_for(105.0) is None


def test_half_open_lets_one_probe_through_and_no_other() -> None:
    breaker = after(*[BAD] * 4)

    probe = breaker.enter() if breaker.closed_for(105.0) is None else None

    assert probe is not None
    assert breaker.state(105.0) is State.HALF_OPEN
    assert breaker.closed_for(105.0) == 5.0


@pytest.mark.parametrize(
    ("verdict", "state"), [(GOOD, State.CLOSED), (BAD, State.OPEN), (NOTHING, State.HALF_OPEN)]
)
def test_the_probe_decides(verdict: Verdict, state: State) -> None:
    breaker = after(*[BAD] * 4)

    breaker.leave(breaker.enter(), verdict, 106.0)

    assert breaker.state(106.0) is state
    assert (breaker.closed_for(106.0) is None) is (state is not State.OPEN)


def test_calls_that_began_before_it_opened_change_nothing_when_they_end() -> None:
    breaker = Breaker(POLICY)
    late = breaker.enter()
    for _ in range(4):
        breaker.leave(breaker.enter(), BAD, 100.0)

    breaker.leave(late, GOOD, 101.0)

    assert breaker.state(101.0) is State.OPEN


def test_it_starts_afresh_after_it_closed() -> None:
    breaker = after(*[BAD] * 4)
    breaker.leave(breaker.enter(), GOOD, 106.0)

    for _ in range(3):
        breaker.leave(breaker.enter(), BAD, 106.0)

    assert breaker.state(106.0) is State.CLOSED


def test_repetitions_are_a_share_of_calls_with_a_little_saved_up() -> None:
    budget = RetryBudget(share=0.25, burst=2)
    assert [budget.spend() for _ in range(3)] == [True, True, False]

    for _ in range(4):
        budget.earn()

    assert [budget.spend() for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("status", "text", "seconds"),
    [
        (429, "7", 7.0),
        (503, " 0.5 ", 0.5),
        (503, "Fri, 31 Dec 1999 23:59:59 GMT", 9.0),
        (503, "Fri, 31 Dec 1999 23:59:00 GMT", None),
        (429, "9e99", 86400.0),
        (429, "-1", None),
        (429, "nan", None),
        (429, "soon", None),
        (500, "7", None),
        (200, "7", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(
    status: int, text: str, seconds: float | None
) -> None:
    headers = {"Retry-After": text, "Date": "Fri, 31 Dec 1999 23:59:50 GMT"}

    assert retry_after(status, headers) == seconds
