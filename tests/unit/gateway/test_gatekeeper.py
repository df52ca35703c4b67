"""Who gets in while the auth service is well, silent, or away; on a clock of our own."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.errors import ServiceError, Unauthenticated, Unavailable
from chassis.lifecycle import Supervisor
from chassis.rpc.client import RpcClient
from chassis.rpc.jws import sign
from gateway.adapters.exchanges import Exchanges
from gateway.adapters.gatekeeper import TokenGatekeeper
from gateway.adapters.revocations import Revocations
from gateway.ports import Revocation
from protos.auth.v1 import auth_pb2 as pb
from tests.support.time import ManualClock, eventually

KEY = ec.generate_private_key(ec.SECP256R1())


class Channel:
    """What a stub is made of, leading nowhere."""

    def unary_unary(self, method: str, *_: object, **__: object) -> str:
        return method

    unary_stream = unary_unary


@dataclass
class Auth:
    """The auth service as its client sees it."""

    clock: ManualClock
    channel: Channel = field(default_factory=Channel)
    failure: ServiceError | None = None
    asked: list[str] = field(default_factory=list)
    fresh: list[bool] = field(default_factory=list)

    async def call(self, method: object, request: Any, **_: object) -> Any:
        """ExchangeToken, the only method that is called here."""
        self.asked.append(request.audience)
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        claims = {
            "sub": "ada",
            "tenant": "default",
            "roles": ["user"],
            "permissions": ["executions:read"],
            "sid": "s1",
            "client_id": "shop",
            "key_id": "k1",
        }
        self.fresh.append(request.fresh)
        token = sign(claims, KEY, typ="int+jwt", kid="i1")
        return pb.ExchangeTokenResponse(internal_token=token, expires_in=60)


class Keys:
    """One key."""

    async def key(self, kid: str) -> ec.EllipticCurvePublicKey:
        return KEY.public_key()


@dataclass
class Gate:
    """A gatekeeper and what surrounds it."""

    keeper: TokenGatekeeper
    auth: Auth
    clock: ManualClock
    revocations: Revocations
    closed: list[Revocation]

    def token(self, session: str = "s1", life: int = 600) -> str:
        """An access token of now."""
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": "autoworker",
            "aud": "autoworker-api",
            "sub": "ada",
            "client_id": "autoworker",
            "iat": now,
            "exp": now + life,
            "jti": "j",
            "sid": session,
            "tenant": "default",
            "roles": [],
        }
        return sign(claims, KEY, typ="at+jwt", kid="a1")


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """A gatekeeper whose feed was heard just now."""
    clock, closed = ManualClock(), list[Revocation]()
    auth, revocations = Auth(clock), Revocations(clock, closed.append)
    revocations.heard()
    async with Supervisor() as supervisor:
        exchanges = Exchanges(revocations, supervisor, clock)
        keeper = TokenGatekeeper(cast("RpcClient", auth), Keys(), revocations, exchanges, clock)
        yield Gate(keeper, auth, clock, revocations, closed)


async def test_a_token_is_exchanged_once_for_each_service(gate: Gate) -> None:
    token = gate.token()

    callers = await asyncio.gather(*(gate.keeper.admit(token, "workflow") for _ in range(9)))
    await gate.keeper.admit(token, "notification")

    assert {caller.principal.id for caller in callers} == {"ada"}
    assert callers[0].principal.may("executions:read")
    assert gate.auth.asked == ["svc:workflow", "svc:notification"]
    assert gate.keeper.has_seen(token)


async def test_an_internal_token_is_replaced_before_it_ends(gate: Gate) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")

    gate.clock.advance(41)
    gate.revocations.heard()
    await gate.keeper.admit(token, "workflow")

    assert len(gate.auth.asked) == 2


async def test_a_token_ends_with_its_time_even_when_the_wall_clock_is_set_back(gate: Gate) -> None:
    token, began = gate.token(life=30), gate.clock.now()
    await gate.keeper.admit(token, "workflow")

    gate.clock.advance(31)
    gate.clock.set(began)
    gate.revocations.heard()

    with pytest.raises(Unauthenticated):
        await gate.keeper.admit(token, "workflow")


async def test_a_forgotten_session_is_refused_at_once_and_its_streams_are_closed(
    gate: Gate,
) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")

    gate.keeper.forget("s1")

    with pytest.raises(Unauthenticated):
        await gate.keeper.admit(token, "workflow")
    assert gate.closed == [Revocation("session", "s1")]
    assert not gate.keeper.has_seen(token)
    assert (await gate.keeper.admit(gate.token("s2"), "workflow")).principal.id == "ada"


CHANGES = [
    Revocation("principal", "ada"),
    Revocation("principal", "shop"),
    Revocation("key", "k1"),
    Revocation("policy", "default"),
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
async def test_after_a_change_rights_are_asked_for_anew_once(
    gate: Gate, change: Revocation
) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")

    gate.clock.advance(1)
    gate.revocations.add(change, gate.clock.now())
    gate.clock.advance(0.5)
    for _ in range(3):
        await gate.keeper.admit(token, "workflow")

    assert gate.auth.fresh == [False, True]
    assert gate.closed == [change]


async def test_changes_of_others_change_nothing(gate: Gate) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")

    gate.clock.advance(1)
    for kind in ("principal", "key", "policy"):
        gate.revocations.add(Revocation(kind, "other"))
    await gate.keeper.admit(token, "workflow")

    assert len(gate.auth.asked) == 1


async def test_what_was_asked_before_a_change_and_told_after_it_does_not_count(gate: Gate) -> None:
    token = gate.token()
    asking = asyncio.ensure_future(gate.keeper.admit(token, "workflow"))
    await eventually(lambda: bool(gate.auth.asked))
    gate.revocations.add(Revocation("principal", "ada"))
    await asking

    await gate.keeper.admit(token, "workflow")

    assert len(gate.auth.asked) == 2


async def test_while_the_feed_is_silent_sessions_are_asked_about_every_second(gate: Gate) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")

    gate.clock.advance(6)
    await gate.keeper.admit(token, "workflow")
    await gate.keeper.admit(token, "workflow")
    gate.clock.advance(1.5)
    await gate.keeper.admit(token, "workflow")

    assert len(gate.auth.asked) == 3


async def test_a_session_that_died_in_silence_is_found_out(gate: Gate) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")
    gate.clock.advance(6)
    gate.auth.failure = Unauthenticated("ended")

    with pytest.raises(Unauthenticated):
        await gate.keeper.admit(token, "workflow")
    assert not gate.keeper.has_seen(token)


async def test_without_contact_nobody_gets_in_after_half_a_minute(gate: Gate) -> None:
    token = gate.token()
    await gate.keeper.admit(token, "workflow")
    gate.auth.failure = Unavailable("away")

    gate.clock.advance(29)
    assert (await gate.keeper.admit(token, "workflow")).principal.id == "ada"
    gate.clock.advance(2)
    with pytest.raises(Unavailable):
        await gate.keeper.admit(token, "workflow")


async def test_somebody_new_needs_the_auth_service(gate: Gate) -> None:
    gate.auth.failure = Unavailable("away")

    with pytest.raises(Unavailable):
        await gate.keeper.admit(gate.token(), "workflow")


def test_dead_sessions_are_forgotten_when_no_token_can_be_alive() -> None:
    clock = ManualClock()
    revocations = Revocations(clock, lambda revocation: None)
    revocations.add(Revocation("session", "old"))

    clock.advance(3601)
    revocations.add(Revocation("session", "new"))

    assert "old" not in revocations
    assert "new" in revocations
