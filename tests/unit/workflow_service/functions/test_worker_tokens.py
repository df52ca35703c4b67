"""Tokens of workers: whom they stand for, for how long, and what is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.rpc.context import Principal
from chassis.rpc.credentials import SERVICE_TYP, USER_TYP, ServiceIdentity, TokenVerifier
from chassis.rpc.jws import TokenRefused
from tests.support.ids import CountingIds
from tests.support.time import ManualClock
from workflow_service.adapters.worker_tokens import LIFE, WorkerTokens

ADA = Principal(id="ada", tenant="t", kind="user", permissions=frozenset({"workers:connect"}))


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def identity(tmp_path: Path, clock: ManualClock) -> ServiceIdentity:
    return ServiceIdentity.load_or_create(tmp_path, "workflow", clock=clock)


@pytest.fixture
def tokens(identity: ServiceIdentity, clock: ManualClock) -> WorkerTokens:
    return WorkerTokens(identity, clock, CountingIds())


async def test_a_token_stands_for_the_user_and_lets_workers_connect_only(
    tokens: WorkerTokens,
) -> None:
    found = await tokens.verify(tokens.issue(ADA)[0])

    assert (found.id, found.tenant, found.everybody) == ("ada", "t", False)
    assert found.permissions == {"workers:connect"}


async def test_only_who_may_serves_everybody(tokens: WorkerTokens) -> None:
    root = Principal(
        id="root", tenant="t", kind="user", permissions=frozenset({"workers:serve-all"})
    )

    assert (await tokens.verify(tokens.issue(root)[0])).everybody


async def test_a_token_ends_after_its_life(tokens: WorkerTokens, clock: ManualClock) -> None:
    token, life = tokens.issue(ADA)
    clock.advance(life - 1)
    await tokens.verify(token)
    clock.advance(1)

    assert life == LIFE
    with pytest.raises(TokenRefused):
        await tokens.verify(token)


async def test_tokens_of_another_key_or_kind_are_refused(
    tokens: WorkerTokens, identity: ServiceIdentity, tmp_path: Path, clock: ManualClock
) -> None:
    foreign = ServiceIdentity.load_or_create(tmp_path / "other", "workflow", clock=clock)
    stranger = WorkerTokens(foreign, clock, CountingIds()).issue(ADA)[0]

    for bad in (stranger, identity.token("svc:workflow"), "", "a.b.c"):
        with pytest.raises(TokenRefused):
            await tokens.verify(bad)


async def test_no_other_door_takes_a_worker_token(
    tokens: WorkerTokens, tmp_path: Path, clock: ManualClock
) -> None:
    for audience in ("svc:workflow", "svc:workflow/workers", "svc:auth"):
        with pytest.raises(TokenRefused):
            await TokenVerifier(audience, tmp_path, clock=clock).verify(tokens.issue(ADA)[0])


def test_an_identity_signs_nothing_that_looks_like_a_service_or_a_user(
    identity: ServiceIdentity,
) -> None:
    for typ in (SERVICE_TYP, USER_TYP):
        with pytest.raises(ValueError, match="kind of one's own"):
            identity.signed({}, typ=typ)
