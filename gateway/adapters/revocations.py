"""Which sessions are dead, as the auth service tells it while it happens."""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from typing import Final, cast

from chassis.clock import Clock
from chassis.errors import ServiceError
from chassis.rpc.client import RpcClient
from chassis.telemetry.logging import get_logger
from gateway.adapters.times import moment
from protos.auth.v1 import auth_pb2 as pb
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub

_Responses = AsyncGenerator[pb.WatchRevocationsResponse, None]
LONGEST_TOKEN: Final = 3600.0
"""Seconds that no access token outlives: for how long a session is remembered by default."""
MOST_PAUSE: Final = 2.0

_log = get_logger("gateway.revocations")


class Revocations:
    """The sessions whose tokens are dead.

    Args:
        clock: tells when a session may be forgotten.
        on_revoked: called with the id of each newly dead session.
    """

    def __init__(self, clock: Clock, on_revoked: Callable[[str], None]) -> None:
        self._clock = clock
        self._on_revoked = on_revoked
        self._dead: dict[str, float] = {}
        self._swept = clock.monotonic()
        self._heard: float | None = None

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._dead

    def add(self, session_id: str, forget_at: datetime | None = None) -> None:
        """Count the session as dead."""
        now = self._clock.monotonic()
        life = LONGEST_TOKEN
        if forget_at is not None:
            # Never shorter than a minute: the auth service's clock may be ahead of ours.
            life = max((forget_at - self._clock.now()).total_seconds(), 60.0)
        if session_id not in self._dead:
            self._on_revoked(session_id)
        self._dead[session_id] = now + life
        if now - self._swept > 60.0:
            self._swept = now
            self._dead = {each: end for each, end in self._dead.items() if end > now}

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
        return cast("_Responses", self._client.stream(self._stub.WatchRevocations, request))

    def _take(self, response: pb.WatchRevocationsResponse) -> None:
        self._revocations.heard()
        if response.session_id:
            self._revocations.add(response.session_id, moment(response.forget_at))
        self._position = max(self._position, response.position)
