"""Tokens that one process was given, in another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.component.workflow_service.authentication.test_tokens import credentials
from tests.component.workflow_service.replicas import Replica, replicas
from tests.support.authority import Authority
from tests.support.redis import RedisServer, redis
from tests.support.time import eventually
from workflow_service.domain.execution.credentials import OAuthCredentials

__all__ = ["redis"]


@pytest.fixture
async def three(redis: RedisServer) -> AsyncIterator[list[Replica]]:
    async with replicas(redis.url, 3) as three:
        yield three


async def test_three_processes_with_fifty_calls_each_ask_once(
    three: list[Replica], authority: Authority
) -> None:
    policy, url = credentials(authority), f"{authority.url}/service"

    statuses = await asyncio.gather(
        *(each.status(url, policy) for each in three for _ in range(50))
    )

    assert set(statuses) == {200}
    assert len(set(authority.called)) == 1
    assert len(authority.asked) == 1


async def test_no_token_is_shared_between_tenants_or_policies(
    three: list[Replica], authority: Authority
) -> None:
    one, other, _ = three
    for replica, scopes, tenant in ((one, "x", "a"), (other, "x", "b"), (other, "y", "a")):
        _ = await replica.egress.headers(credentials(authority, scopes=[scopes]), tenant=tenant)

    assert len(authority.asked) == 3


async def test_a_token_that_is_not_accepted_any_more_is_replaced_for_all(
    three: list[Replica], authority: Authority
) -> None:
    policy, url = credentials(authority), f"{authority.url}/service"
    for each in three:
        assert await each.status(url, policy) == 200
    old = await three[0].egress.headers(policy, tenant="t")
    authority.good.clear()

    assert await three[0].status(url, policy) == 200

    for each in three:

        async def heard(replica: Replica = each) -> bool:
            return await replica.egress.headers(policy, tenant="t") != old

        await eventually(heard, within=30)
        assert await each.status(url, policy) == 200
    assert len(authority.asked) == 2


async def test_a_token_that_was_refused_late_does_not_take_the_new_one_with_it(
    three: list[Replica], authority: Authority
) -> None:
    policy, url = credentials(authority), f"{authority.url}/service"
    await asyncio.gather(*(each.status(url, policy) for each in three for _ in range(10)))
    authority.good.clear()

    await asyncio.gather(*(each.status(url, policy) for each in three for _ in range(10)))

    async def settled() -> bool:
        before = len(authority.asked)
        for each in three:
            assert await each.status(url, policy) == 200
        return len(authority.asked) == before

    await eventually(settled, within=30)
    # Never one for each call, however late they hear of it.
    assert len(authority.asked) <= 1 + 2 * len(three)


async def test_who_hears_late_that_a_token_is_refused_leaves_the_new_one_alone(
    three: list[Replica], authority: Authority
) -> None:
    one, other, _ = three
    policy, url = credentials(authority), f"{authority.url}/service"
    old = await one.egress.headers(policy, tenant="t")
    assert await other.egress.headers(policy, tenant="t") == old
    authority.good.clear()
    assert await other.status(url, policy) == 200

    async def heard() -> bool:
        return await one.egress.headers(policy, tenant="t") != old

    await eventually(heard, within=30)
    assert isinstance(policy, OAuthCredentials)
    await one.egress._tokens.refused(policy, "t", old["Authorization"].removeprefix("Bearer "))

    assert await other.status(url, policy) == 200
    assert await one.egress.headers(policy, tenant="t") != old
    assert len(authority.asked) == 2


async def test_without_redis_each_process_asks_for_itself(
    redis: RedisServer, three: list[Replica], authority: Authority
) -> None:
    policy, url = credentials(authority), f"{authority.url}/service"
    assert await three[0].status(url, policy) == 200
    redis.kill()

    async def kept() -> bool:
        before = len(authority.asked)
        for each in three:
            assert await each.status(url, policy) == 200
        return len(authority.asked) == before

    await eventually(kept, within=60)


async def test_refresh_tokens_stay_where_they_were_given(
    redis: RedisServer, three: list[Replica], authority: Authority
) -> None:
    one, other, _ = three
    policy = credentials(authority, grant="password", username="ada", password="lovelace")
    for each in (one, other):
        assert await each.status(f"{authority.url}/service", policy) == 200
    authority.good.clear()

    assert await other.status(f"{authority.url}/service", policy) == 200

    # The second process was never given one, and begins anew.
    assert [asked["grant_type"] for asked in authority.asked] == ["password", "password"]
