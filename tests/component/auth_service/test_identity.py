"""From sign-up to logout over real gRPC."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import jwt
import pytest

from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.bootstrap import running
from auth_service.config import FirstAdministratorSettings, Settings
from chassis.discovery.static import StaticRegistry
from chassis.errors import (
    Conflict,
    Invalid,
    PermissionDenied,
    RateLimited,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from chassis.messaging.memory import MemoryBus
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from protos.auth.v1 import auth_pb2, auth_pb2_grpc
from tests.component.auth_service.gateway import (
    EMAIL,
    PASSWORD,
    Gateway,
    gateway,
    patient_url,
    says,
)
from tests.support.mongodb import empty_databases
from tests.support.time import ManualClock, eventually

ANYWHERE = pytest.mark.parametrize("auth", ["sqlite", "mongodb"], indirect=True)
"""What holds whichever the store is; contracts tell the rest."""


@pytest.fixture
async def auth(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gateway]:
    shared = getattr(request, "param", "sqlite") == "mongodb"
    settings = {"store_url": patient_url(tmp_path)} if shared else {}
    async with gateway(tmp_path, settings=settings) as it:
        yield it
    empty_databases()


@ANYWHERE
async def test_from_sign_up_to_reuse_everything_holds(auth: Gateway) -> None:
    user = await auth.register()
    first = await auth.login()
    me = await auth.me(first.access_token)
    assert (me.id, me.email, me.name, list(me.roles)) == (user.id, EMAIL, "Ada", ["user"])
    assert "executions:write" in me.permissions

    second = await auth.refresh(first.refresh_token)
    assert (await auth.me(second.access_token)).id == user.id

    with pytest.raises(Unauthenticated):
        await auth.refresh(first.refresh_token)
    with pytest.raises(Unauthenticated):
        await auth.refresh(second.refresh_token)
    for tokens in (first, second):
        with pytest.raises(Unauthenticated):
            await auth.exchange(tokens.access_token)


@ANYWHERE
async def test_logout_kills_every_token_at_once(auth: Gateway) -> None:
    await auth.register()
    tokens = await auth.login()
    internal = await auth.exchange(tokens.access_token)

    session_id = await auth.logout(tokens.access_token)

    assert session_id == says(tokens.access_token)["sid"]
    with pytest.raises(Unauthenticated):
        await auth.exchange(tokens.access_token)
    with pytest.raises(Unauthenticated):
        await auth.refresh(tokens.refresh_token)
    with pytest.raises(Unauthenticated):
        await auth.rpc.call(auth.stub.GetMe, auth_pb2.GetMeRequest(), token=internal)


@ANYWHERE
async def test_of_fifty_parallel_refreshes_one_succeeds_and_the_family_dies(auth: Gateway) -> None:
    await auth.register()
    tokens = await auth.login()

    outcomes = await asyncio.gather(
        *(auth.refresh(tokens.refresh_token) for _ in range(50)), return_exceptions=True
    )

    winners = [outcome for outcome in outcomes if isinstance(outcome, auth_pb2.Tokens)]
    assert len(winners) == 1
    assert sum(isinstance(outcome, Unauthenticated) for outcome in outcomes) == 49
    with pytest.raises(Unauthenticated):
        await auth.refresh(winners[0].refresh_token)
    with pytest.raises(Unauthenticated):
        await auth.exchange(winners[0].access_token)


@ANYWHERE
async def test_registration_is_announced_and_so_is_the_end_of_a_session(auth: Gateway) -> None:
    user = await auth.register()
    tokens = await auth.login()
    await auth.rename(tokens.access_token, "Countess")
    await auth.logout(tokens.access_token)

    await eventually(lambda: len(auth.events) == 4)

    assert [event.type.split(".")[3] for event in auth.events] == [
        "user-registered",
        "user-registered",
        "user-updated",
        "session-revoked",
    ]
    data = json.loads(bytes(auth.events[2].data))
    assert (data["user_id"], data["name"]) == (user.id, "Countess")


async def test_a_taken_address_is_a_conflict(auth: Gateway) -> None:
    await auth.register()

    with pytest.raises(Conflict):
        await auth.register(EMAIL.upper())


async def test_a_weak_password_lists_each_rule(auth: Gateway) -> None:
    with pytest.raises(Invalid) as caught:
        await auth.register("nobody", "weak")

    assert [(problem.field, problem.message) for problem in caught.value.details] == [
        ("email", "Invalid email format"),
        ("password", "Must be at least 8 characters long"),
        ("password", "Must contain an upper-case letter"),
        ("password", "Must contain a digit"),
    ]


async def failure(auth: Gateway, email: str, password: str) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        await auth.login(email, password)
    return caught.value


async def test_unknown_user_and_wrong_password_get_one_answer(auth: Gateway) -> None:
    await auth.register()

    wrong = await failure(auth, EMAIL, "Wrong-Password-1")
    unknown = await failure(auth, "nobody@example.com", PASSWORD)

    assert type(wrong) is type(unknown) is Unauthenticated
    assert (wrong.message, wrong.details) == (unknown.message, unknown.details)


async def test_guessing_ends_with_a_time_to_wait(auth: Gateway) -> None:
    await auth.register()

    failures = [await failure(auth, EMAIL, f"Wrong-Password-{n}") for n in range(11)]

    assert isinstance(failures[-2], Unauthenticated)
    assert isinstance(failures[-1], RateLimited)
    assert failures[-1].retry_after is not None
    assert 0 < failures[-1].retry_after <= 30


async def test_sessions_and_spent_tokens_survive_a_restart(tmp_path: Path) -> None:
    async with gateway(tmp_path) as before:
        await before.register()
        spent = await before.login()
        kept = await before.refresh(spent.refresh_token)
        gone = await before.login()
        await before.logout(gone.access_token)
        jwks = await before.keys()

    async with gateway(tmp_path) as after:
        assert await after.keys() == jwks
        assert (await after.me(kept.access_token)).email == EMAIL
        with pytest.raises(Unauthenticated):
            await after.exchange(gone.access_token)
        with pytest.raises(Unauthenticated):
            await after.refresh(spent.refresh_token)
        with pytest.raises(Unauthenticated):
            await after.refresh(kept.refresh_token)


async def test_rotating_keys_keeps_old_tokens_valid(tmp_path: Path) -> None:
    clock = ManualClock()
    async with gateway(tmp_path, clock=clock) as auth:
        await auth.register()
        clock.advance(30 * 24 * 3600 - 60)
        await auth.service.app.commands.rotate_keys(RotateKeys())
        old = await auth.login()
        clock.advance(120)
        new = await auth.login()

        assert (await auth.me(old.access_token)).email == EMAIL
        assert (await auth.me(new.access_token)).email == EMAIL
        kids = {jwt.get_unverified_header(t.access_token)["kid"] for t in (old, new)}
        assert kids == {key["kid"] for key in json.loads(await auth.keys())["keys"]}
        assert len(kids) == 2


async def test_the_first_administrator_is_made_once_and_shown_once(tmp_path: Path) -> None:
    async with gateway(tmp_path) as first:
        email, password = first.service.first_administrator
        assert password is not None
        me = await first.me((await first.login(email, password)).access_token)
        assert list(me.roles) == ["admin"]
        assert "users:write" in me.permissions

    async with gateway(tmp_path) as second:
        assert second.service.first_administrator == (email, None)
        assert (await second.login(email, password)).access_token


async def test_a_configured_administrator_is_not_shown(tmp_path: Path) -> None:
    configured = FirstAdministratorSettings("root@example.com", PASSWORD)
    async with gateway(tmp_path, settings={"administrator": configured}) as auth:
        assert auth.service.first_administrator == ("root@example.com", None)
        assert (await auth.login("root@example.com")).access_token


@ANYWHERE
async def test_the_feed_tells_of_a_logout_at_once_and_shows_that_it_lives(auth: Gateway) -> None:
    await auth.register()
    tokens = await auth.login()
    async with auth.revocations() as feed:
        assert (await anext(feed)).position == 0
        session_id = await auth.logout(tokens.access_token)
        while (item := await anext(feed)).position == 0:
            pass
        assert (item.kind, item.subject) == (auth_pb2.REVOCATION_KIND_SESSION, session_id)
        assert (await anext(feed)).position == 0

    async with auth.revocations() as feed:
        assert (await anext(feed)).subject == session_id


async def test_stopping_does_not_wait_for_those_who_watch(tmp_path: Path) -> None:
    registry, begun = StaticRegistry(), asyncio.Event()
    identity = ServiceIdentity.load_or_create(tmp_path / "keys", "workflow")
    settings = Settings(data_dir=tmp_path, store_dir=tmp_path, grpc_port=0, admin_port=0)
    async with RpcClient(registry, "auth", identity) as rpc, AsyncExitStack() as service:
        bus = await service.enter_async_context(MemoryBus())
        await service.enter_async_context(running(settings, registry=registry, bus=bus))
        stub = auth_pb2_grpc.AuthServiceStub(rpc.channel)
        watching = asyncio.ensure_future(
            drained(rpc.stream(stub.WatchRevocations, auth_pb2.WatchRevocationsRequest()), begun)
        )
        await asyncio.wait_for(begun.wait(), 20)

        async with asyncio.timeout(20):
            await service.aclose()
        with pytest.raises(Unavailable):
            await watching


async def drained(
    feed: AsyncIterator[auth_pb2.WatchRevocationsResponse], begun: asyncio.Event
) -> None:
    """Read *feed* to its end."""
    async for _ in feed:
        begun.set()


@pytest.mark.parametrize("caller", ["workflow", "notification", "stranger"])
async def test_only_the_gateway_logs_people_in(tmp_path: Path, caller: str) -> None:
    async with gateway(tmp_path, caller=caller) as other:
        with pytest.raises(PermissionDenied):
            await other.login()
        with pytest.raises(PermissionDenied):
            await other.exchange("x.y.z")


async def test_every_service_gets_keys_but_no_stranger(tmp_path: Path) -> None:
    async with gateway(tmp_path, caller="workflow") as workflow:
        access = json.loads(await workflow.keys(auth_pb2.KEY_USE_ACCESS))["keys"]
        internal = json.loads(await workflow.keys(auth_pb2.KEY_USE_INTERNAL))["keys"]
    assert {key["kid"] for key in access}.isdisjoint(key["kid"] for key in internal)
    assert all("d" not in key for key in access + internal)

    async with gateway(tmp_path, caller="stranger") as stranger:
        with pytest.raises(PermissionDenied):
            await stranger.keys()


async def test_users_tokens_mean_nothing_where_services_are_asked_for(auth: Gateway) -> None:
    await auth.register()
    tokens = await auth.login()
    internal = await auth.exchange(tokens.access_token)
    foreign = await auth.exchange(tokens.access_token, "svc:workflow")
    request = auth_pb2.GetMeRequest()

    assert (await auth.rpc.call(auth.stub.GetMe, request, token=internal)).user.email == EMAIL
    for token in (tokens.access_token, foreign, tokens.refresh_token, "x"):
        with pytest.raises(Unauthenticated):
            await auth.rpc.call(auth.stub.GetMe, request, token=token)
    with pytest.raises(Unauthenticated):
        await auth.rpc.call(auth.stub.GetMe, request)
    with pytest.raises(ServiceError) as caught:
        await auth.rpc.call(auth.stub.Login, auth_pb2.LoginRequest(), token=internal)
    assert isinstance(caught.value, Unauthenticated | PermissionDenied)


async def test_an_internal_token_is_no_access_token(auth: Gateway) -> None:
    await auth.register()
    internal = await auth.exchange((await auth.login()).access_token)

    with pytest.raises(Unauthenticated):
        await auth.exchange(internal)
