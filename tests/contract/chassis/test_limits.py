"""What all limits must do, run against every adapter."""

from collections.abc import AsyncIterator

import pytest

from chassis.caching.port import LimitPolicy, Limits
from tests.contract.chassis.adapters import LIMITS, Timed

# One comes back in a hundred seconds: the time that really passes meanwhile changes nothing.
TEN = LimitPolicy("api", quota=10, window=1_000.0)
LOGIN = LimitPolicy("login", quota=60, window=6_000.0, burst=3)


@pytest.fixture(params=LIMITS)
async def timed(request: pytest.FixtureRequest) -> AsyncIterator[Timed[Limits]]:
    async with LIMITS[request.param]() as timed:
        yield timed


async def allowed(limits: Limits, key: str, policy: LimitPolicy, times: int) -> int:
    return sum([(await limits.take(key, policy)).allowed for _ in range(times)])


async def test_as_much_as_the_quota_is_allowed_at_once(timed: Timed[Limits]) -> None:
    assert await allowed(timed.adapter, "anna", TEN, 15) == 10


async def test_no_more_than_the_burst_is_allowed_at_once(timed: Timed[Limits]) -> None:
    assert await allowed(timed.adapter, "anna", LOGIN, 10) == 3


async def test_keys_count_apart(timed: Timed[Limits]) -> None:
    await allowed(timed.adapter, "anna", LOGIN, 3)
    assert await allowed(timed.adapter, "bob", LOGIN, 3) == 3


async def test_policies_count_apart(timed: Timed[Limits]) -> None:
    await allowed(timed.adapter, "anna", LOGIN, 3)
    assert await allowed(timed.adapter, "anna", TEN, 3) == 3


async def test_what_was_taken_comes_back_piece_by_piece(timed: Timed[Limits]) -> None:
    await allowed(timed.adapter, "anna", TEN, 10)
    timed.advance(100.0)
    assert await allowed(timed.adapter, "anna", TEN, 5) == 1
    timed.advance(350.0)
    assert await allowed(timed.adapter, "anna", TEN, 5) == 3


async def test_a_refusal_says_when_to_come_back_and_that_is_true(timed: Timed[Limits]) -> None:
    await allowed(timed.adapter, "anna", LOGIN, 3)
    refused = await timed.adapter.take("anna", LOGIN)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert 0 < refused.retry_after <= 100
    timed.advance(refused.retry_after)
    assert (await timed.adapter.take("anna", LOGIN)).allowed


async def test_a_refusal_takes_nothing(timed: Timed[Limits]) -> None:
    await allowed(timed.adapter, "anna", LOGIN, 3)
    await allowed(timed.adapter, "anna", LOGIN, 100)
    timed.advance(100.0)
    assert (await timed.adapter.take("anna", LOGIN)).allowed


async def test_a_decision_tells_what_is_left_and_when_all_is_back(timed: Timed[Limits]) -> None:
    decision = await timed.adapter.take("anna", TEN)
    assert (decision.limit, decision.remaining) == (10, 9)
    assert decision.retry_after == 0
    assert decision.reset == pytest.approx(100.0, abs=1.0)


async def test_a_cost_is_taken_as_a_whole_or_not_at_all(timed: Timed[Limits]) -> None:
    assert (await timed.adapter.take("anna", TEN, cost=8)).allowed
    assert not (await timed.adapter.take("anna", TEN, cost=3)).allowed
    assert (await timed.adapter.take("anna", TEN, cost=2)).allowed


async def test_a_cost_of_nothing_only_looks(timed: Timed[Limits]) -> None:
    assert (await timed.adapter.take("anna", LOGIN, cost=0)).remaining == 3
    assert (await timed.adapter.take("anna", LOGIN, cost=0)).remaining == 3


@pytest.mark.parametrize("cost", [-1, 4])
async def test_a_cost_that_can_never_be_is_a_mistake(timed: Timed[Limits], cost: int) -> None:
    with pytest.raises(ValueError, match="login"):
        await timed.adapter.take("anna", LOGIN, cost=cost)
