"""The feed of revocations as the gateway follows it, and whom each entry concerns."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chassis.errors import Unavailable
from chassis.rpc.client import RpcClient
from chassis.rpc.context import Principal
from gateway.adapters.revocations import RevocationFeed, Revocations
from gateway.ports import Revocation
from protos.auth.v1 import auth_pb2 as pb
from tests.support.time import ManualClock, eventually
from tests.unit.gateway.test_gatekeeper import Channel

ADA = Principal("ada", "default", "user", session_id="s1", key_id="k1", client_id="shop")


@pytest.mark.parametrize(
    ("revocation", "concerned"),
    [
        (Revocation("session", "s1"), True),
        (Revocation("session", "s2"), False),
        (Revocation("principal", "ada"), True),
        (Revocation("principal", "shop"), True),
        (Revocation("principal", "k1"), False),
        (Revocation("key", "k1"), True),
        (Revocation("key", "ada"), False),
        (Revocation("policy", "default"), True),
        (Revocation("policy", "other"), False),
    ],
    ids=str,
)
def test_an_entry_concerns_whoever_acts_by_its_subject(
    revocation: Revocation, concerned: bool
) -> None:
    assert revocation.concerns(ADA) is concerned
    clock = ManualClock()
    revocations = Revocations(clock, lambda each: None)
    revocations.add(revocation)
    if revocation.kind != "session":
        assert revocations.outdates(ADA, clock.monotonic()) is concerned
    assert not revocations.outdates(ADA, clock.monotonic() + 1)


@dataclass
class Auth:
    """Tells *told*, breaks, and is silent."""

    told: list[pb.WatchRevocationsResponse]
    channel: Channel = field(default_factory=Channel)
    asked: list[int] = field(default_factory=list)

    async def stream(self, method: object, request: Any, *, silence: float) -> AsyncIterator[Any]:
        self.asked.append(request.after)
        if len(self.asked) > 1:
            await asyncio.Event().wait()
        for each in self.told:
            yield each
        raise Unavailable("gone")


async def test_every_kind_is_heard_what_is_unknown_is_skipped_and_it_goes_on_behind() -> None:
    kinds = [
        pb.REVOCATION_KIND_SESSION, pb.REVOCATION_KIND_PRINCIPAL, pb.REVOCATION_KIND_KEY,
        pb.REVOCATION_KIND_POLICY, cast("pb.RevocationKind.ValueType", 99),
    ]  # fmt: skip
    told = [
        pb.WatchRevocationsResponse(position=n, kind=kind, subject="x")
        for n, kind in enumerate(kinds, 1)
    ]
    auth, heard = Auth([*told, pb.WatchRevocationsResponse()]), list[Revocation]()
    revocations = Revocations(ManualClock(), heard.append)

    following = asyncio.ensure_future(RevocationFeed(cast("RpcClient", auth), revocations).run())
    await eventually(lambda: len(auth.asked) == 2)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)

    assert [each.kind for each in heard] == ["session", "principal", "key", "policy"]
    assert auth.asked == [0, 5]
    assert "x" in revocations
    assert revocations.silent_for() == 0
