"""What must not be believed any more, as the auth service tells it while it happens."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from chassis.clock import Clock
from chassis.errors import ServiceError
from chassis.rpc.client import RpcClient
from chassis.rpc.context import Principal
from chassis.rpc.listening import FEED_SILENCE
from chassis.telemetry.logging import get_logger
from gateway.adapters.times import moment
from gateway.ports import Revocation, RevocationKind
from protos.auth.v1 import auth_pb2 as pb
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub

_Responses = AsyncGenerator[pb.WatchRevocationsResponse, None]
LONGEST_TOKEN: Final = 3600.0
"""Seconds that no access token outlives: for how long a session is remembered by default."""
MOST_PAUSE: Final = 2.0
SETTLED: Final = 2.0
"""Seconds after which every replica of the auth service has dropped what it knew before a change."""
_KINDS: Final[dict[pb.RevocationKind.ValueType, RevocationKind]] = {
    pb.REVOCATION_KIND_SESSION: "session",
    pb.REVOCATION_KIND_PRINCIPAL: "principal",
    pb.REVOCATION_KIND_KEY: "key",
    pb.REVOCATION_KIND_POLICY: "policy",
}

_log = get_logger("gateway.revocations")


@dataclass(frozen=True, slots=True)
class _Heard:
    at: float
    until: float


class Revocations:
    """The sessions whose tokens are dead, and what else must not be believed since when.

    Args:
        clock: tells when something may be forgotten.
        on_revoked: called with each revocation when it is heard of.
    """

    def __init__(self, clock: Clock, on_revoked: Callable[[Revocation], None]) -> None:
        self._clock = clock
        self._on_revoked = on_revoked
        self._known: dict[Revocation, _Heard] = {}
        self._swept = clock.monotonic()
        self._changed = float("-inf")
        self._heard: float | None = None

    def __contains__(self, session_id: object) -> bool:
        return Revocation("session", str(session_id)) in self._known

    def add(self, revocation: Revocation, forget_at: datetime | None = None) -> None:
        """From now on believe nothing that was learned before about its subject."""
        now = self._clock.monotonic()
        life = LONGEST_TOKEN
        if forget_at is not None:
            # Never shorter than a minute: the auth service's clock may be ahead of ours.
            life = max((forget_at - self._clock.now()).total_seconds(), 60.0)
        self._changed = now
        self._known[revocation] = _Heard(now, now + life)
        self._on_revoked(revocation)
        if now - self._swept > 60.0:
            self._swept = now
            self._known = {each: heard for each, heard in self._known.items() if heard.until > now}

    def outdates(self, principal: Principal, asked: float) -> bool:
        """Whether what was asked about *principal* at *asked* (monotonic) is out of date.

        Looked up by name: as many entries as there may be, a request asks for at most four.
        """
        if asked > self._changed:
            return False
        return any(
            (heard := self._known.get(revocation)) is not None and heard.at >= asked
            for revocation in _about(principal)
        )

    @property
    def unsettled(self) -> bool:
        """Whether something changed a moment ago, so that not all replicas may know it yet."""
        return self._clock.monotonic() - self._changed < SETTLED

    def heard(self) -> None:
        """The feed gave a sign of life."""
        self._heard = self._clock.monotonic()

    def silent_for(self) -> float:
        """Seconds since the feed's last sign of life; endless when there was none yet."""
        if self._heard is None:
            return float("inf")
        return self._clock.monotonic() - self._heard


class RevocationFeed:
    """Keeps `Revocations` up to date, for ever.

    Args:
        client: an entered client of the auth service.
        revocations: what to keep up to date.
    """

    def __init__(self, client: RpcClient, revocations: Revocations) -> None:
        self._client = client
        self._stub = AuthServiceStub(client.channel)
        self._revocations = revocations
        self._position = 0

    async def run(self) -> None:
        """Follow the feed; come back after each break, where it broke."""
        failures = 0
        while True:
            try:
                async with aclosing(self._responses()) as responses:
                    async for response in responses:
                        failures = 0
                        self._take(response)
            except ServiceError as exc:
                if failures == 0:
                    _log.warning("revocation_feed_lost", kind=exc.kind.value, reason=exc.message)
            failures += 1
            ceiling = min(0.1 * 2 ** min(failures, 10), MOST_PAUSE)
            await asyncio.sleep(random.uniform(ceiling / 2, ceiling))  # noqa: S311

    def _responses(self) -> _Responses:
        request = pb.WatchRevocationsRequest(after=self._position)
        watch = self._stub.WatchRevocations
        return cast("_Responses", self._client.stream(watch, request, silence=FEED_SILENCE))

    def _take(self, response: pb.WatchRevocationsResponse) -> None:
        self._revocations.heard()
        kind = _KINDS.get(response.kind)
        if kind is not None and response.subject:
            revocation = Revocation(kind, response.subject)
            self._revocations.add(revocation, moment(response.forget_at))
        self._position = max(self._position, response.position)


def _about(principal: Principal) -> Iterator[Revocation]:
    """Everything by which *principal* may be revoked."""
    yield Revocation("principal", principal.id)
    yield Revocation("policy", principal.tenant)
    if principal.key_id:
        yield Revocation("key", principal.key_id)
    if principal.client_id:
        yield Revocation("principal", principal.client_id)
