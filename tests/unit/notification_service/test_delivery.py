"""When a delivery is done, tried again, given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notification_service.domain.delivery import (
    Accepted,
    Deferred,
    DeliveryStatus,
    Outcome,
    Refused,
    RetryPolicy,
    Verdict,
    judge,
)

POLICY = RetryPolicy(max_attempts=3, base=10, cap=15)


@pytest.mark.parametrize(
    ("outcome", "attempts", "verdict"),
    [
        (Accepted(), 1, Verdict(DeliveryStatus.DELIVERED)),
        (Refused("no such user"), 1, Verdict(DeliveryStatus.FAILED, "no such user")),
        (Deferred("busy"), 1, Verdict(DeliveryStatus.RETRYING, "busy", 5)),
        (Deferred("busy"), 2, Verdict(DeliveryStatus.RETRYING, "busy", 7.5)),
        (Deferred("busy"), 3, Verdict(DeliveryStatus.FAILED, "busy")),
    ],
)
def test_an_outcome_decides_what_comes_next(
    outcome: Outcome, attempts: int, verdict: Verdict
) -> None:
    assert judge(outcome, attempts, POLICY, fraction=0.5) == verdict


@given(st.integers(1, 10**9), st.floats(0, 1, exclude_max=True))
def test_a_delay_lies_between_nothing_and_the_cap(attempts: int, fraction: float) -> None:
    assert 0 <= POLICY.delay_after(attempts, fraction) <= 15


def test_a_servers_long_answer_is_cut() -> None:
    assert len(judge(Refused("x\r\n" * 9_000), 1, POLICY, 0).error) <= 500
