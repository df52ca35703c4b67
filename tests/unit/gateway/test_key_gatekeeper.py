"""Who gets in with an API key while the auth service is well, silent, or away."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any, cast

import pytest

from chassis.errors import ServiceError, Unauthenticated, Unavailable
from chassis.lifecycle import Supervisor
from chassis.rpc.client import RpcClient
from chassis.rpc.jws import sign
from gateway.adapters.exchanges import Exchanges
from gateway.adapters.key_gatekeeper import ExchangingKeyGatekeeper
from gateway.adapters.revocations import Revocations
from gateway.ports import KeyTerms, Revocation
from gateway.routes.address import AddressRules
from protos.auth.v1 import api_keys_pb2 as pb
from tests.support.time import ManualClock
from tests.unit.gateway.test_gatekeeper import KEY, Channel

TEXT = "sk_live_" + "0" * 60
OTHER = "sk_test_" + "1" * 60


@dataclass
class Auth:
    """The auth service as its client sees it."""

    channel: Channel = field(default_factory=Channel)
    failure: ServiceError | None = None
    asked: list[pb.ExchangeApiKeyRequest] = field(default_factory=list)

    async def call(self, method: object, request: Any, **_: object) -> Any:
        self.asked.append(request)
        await asyncio.sleep(0)
        if self.failure is not None:
            raise self.failure
        claims = {
            "sub": "ada", "tenant": "default", "roles": ["user"], "permissions": ["a:x"],
            "key_id": "k1",
        }  # fmt: skip
        return pb.ExchangeApiKeyResponse(
            internal_token=sign(claims, KEY, typ="int+jwt", kid="i1"),
            expires_in=60,
            rate_limit=5,
            allowed_ips=["192.0.2.0/24"],
        )


@dataclass
class Gate:
    keeper: ExchangingKeyGatekeeper
    auth: Auth
    clock: ManualClock
    revocations: Revocations


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    """A gatekeeper whose feed was heard just now."""
    clock, auth = ManualClock(), Auth()
    revocations = Revocations(clock, lambda revocation: None)
    revocations.heard()
    async with Supervisor() as supervisor:
        exchanges = Exchanges(revocations, supervisor, clock)
        keeper = ExchangingKeyGatekeeper(cast("RpcClient", auth), exchanges)
        yield Gate(keeper, auth, clock, revocations)


async def test_a_key_is_exchanged_once_for_each_service(gate: Gate) -> None:
    callers = await asyncio.gather(
        *(gate.keeper.admit(TEXT, "workflow", "192.0.2.1") for _ in range(9))
    )
    await gate.keeper.admit(TEXT, "auth", "192.0.2.1")

    assert {caller.principal.key_id for caller in callers} == {"k1"}
    assert callers[0].key == KeyTerms(5, (ip_network("192.0.2.0/24"),))
    assert [each.audience for each in gate.auth.asked] == ["svc:workflow", "svc:auth"]
    assert gate.keeper.has_seen(TEXT)
    assert not gate.keeper.has_seen(OTHER)


async def test_what_cannot_be_a_key_asks_nobody(gate: Gate) -> None:
    for text in ("", "sk_live_x", TEXT + "0", TEXT[:-1] + "_", "k" * 9000, "sk_live_\udcff"):
        with pytest.raises(Unauthenticated):
            await gate.keeper.admit(text, "workflow", "192.0.2.1")
        assert not gate.keeper.has_seen(text)

    assert not gate.auth.asked


async def test_a_key_that_died_is_asked_about_and_forgotten(gate: Gate) -> None:
    await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")
    gate.clock.advance(1)
    gate.revocations.add(Revocation("key", "k1"))
    gate.auth.failure = Unauthenticated("gone")

    assert not gate.keeper.has_seen(TEXT)
    with pytest.raises(Unauthenticated):
        await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")
    assert gate.auth.asked[-1].fresh


async def test_a_key_is_believed_for_a_minute_at_the_most(gate: Gate) -> None:
    await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")
    gate.clock.advance(41)
    gate.revocations.heard()
    await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")

    assert len(gate.auth.asked) == 2


async def test_in_silence_keys_are_asked_about_every_second_and_refused_after_half_a_minute(
    gate: Gate,
) -> None:
    await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")
    gate.clock.advance(6)
    for _ in range(2):
        await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")
    assert len(gate.auth.asked) == 2

    gate.auth.failure = Unavailable("away")
    gate.clock.advance(29)
    await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")
    gate.clock.advance(2)
    with pytest.raises(Unavailable):
        await gate.keeper.admit(TEXT, "workflow", "192.0.2.1")


@pytest.mark.parametrize(
    ("allow", "deny", "address", "admitted"),
    [
        ([], [], "192.0.2.1", True),
        ([], [], "", True),
        (["192.0.2.0/24"], [], "192.0.2.1", True),
        (["192.0.2.0/24"], [], "::ffff:192.0.2.1", True),
        (["192.0.2.0/24"], [], "192.0.3.1", False),
        (["192.0.2.0/24"], [], "", False),
        (["192.0.2.0/24"], ["192.0.2.1/32"], "192.0.2.1", False),
        ([], ["2001:db8::/32"], "2001:db8::1", False),
        ([], ["2001:db8::/32"], "192.0.2.1", True),
    ],
)
def test_who_is_denied_stays_out_and_only_who_is_allowed_comes_in(
    allow: list[str], deny: list[str], address: str, admitted: bool
) -> None:
    rules = AddressRules([ip_network(each) for each in allow], [ip_network(each) for each in deny])

    assert rules.admit(address) is admitted
