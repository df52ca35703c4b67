"""Internal tokens, got once for a credential and a service, and believed only as long as they may be.

- What was exchanged before the rights of a user, a key or a tenant changed does not count any more.
- When the feed of revocations is silent, an exchange is asked for again every second. When the auth
  service has not been reached in any way for half a minute, nobody gets in.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

import jwt

from chassis.clock import Clock
from chassis.errors import ServiceError, Unauthenticated, Unavailable
from chassis.lifecycle import Supervisor
from chassis.rpc.context import Principal
from gateway.adapters.revocations import Revocations
from gateway.ports import Caller, KeyTerms, Service

K = TypeVar("K")
V = TypeVar("V")
SILENT: Final = 5.0
LOST: Final = 30.0
RECHECK: Final = 1.0
RENEW: Final = 20.0
TIMEOUT: Final = 5.0
MOST: Final = 20_000
_SERVICES: Final[tuple[Service, ...]] = ("workflow", "auth", "notification")


@dataclass(frozen=True, slots=True)
class Exchange:
    """An internal token, good for *expires_in* seconds, and what its holder is bound to."""

    token: str
    expires_in: int
    key: KeyTerms | None = None


Ask = Callable[[bool], Awaitable[Exchange]]
"""Asks the auth service; told whether it must answer from the store as it is now."""


@dataclass(frozen=True, slots=True)
class _Exchanged:
    caller: Caller
    asked: float
    fetched: float
    until: float


class Exchanges:
    """All that is exchanged at the moment, by the SHA-256 of the credential and by service.

    Args:
        revocations: whose rights changed when.
        supervisor: owns exchanges, which several requests may wait for.
        clock: what expiry and silence are measured with.
    """

    def __init__(self, revocations: Revocations, supervisor: Supervisor, clock: Clock) -> None:
        self._revocations = revocations
        self._supervisor = supervisor
        self._clock = clock
        self._exchanged: OrderedDict[tuple[bytes, Service], _Exchanged] = OrderedDict()
        self._asking: dict[tuple[bytes, Service], asyncio.Future[_Exchanged]] = {}
        self._reached = clock.monotonic()

    def knows(self, digest: bytes) -> bool:
        """Whether the credential is good for some service just now."""
        now = self._clock.monotonic()
        return any(
            (exchanged := self._exchanged.get((digest, service))) is not None
            and self._counts(exchanged, now)
            for service in _SERVICES
        )

    async def caller(self, digest: bytes, service: Service, ask: Ask) -> Caller:
        """Whom the credential with *digest* stands for, with an internal token for *service*.

        Raises:
            Unauthenticated: it is not good any more.
            Unavailable: whether it is cannot be known just now.
        """
        exchanged = self._exchanged.get((digest, service))
        now = self._clock.monotonic()
        if exchanged is None or not self._counts(exchanged, now):
            return (await self._exchange(digest, service, ask)).caller
        silent = self._revocations.silent_for() > SILENT
        if not silent or now - exchanged.fetched < RECHECK:
            return exchanged.caller
        return await self._recheck(digest, service, ask, exchanged)

    def _counts(self, exchanged: _Exchanged, now: float) -> bool:
        return now < exchanged.until and not self._revocations.outdates(
            exchanged.caller.principal, exchanged.asked
        )

    async def _recheck(
        self, digest: bytes, service: Service, ask: Ask, known: _Exchanged
    ) -> Caller:
        """The feed is silent, so ask; while asking fails, what is known counts a little longer."""
        try:
            return (await self._exchange(digest, service, ask)).caller
        except Unauthenticated:
            raise
        except ServiceError as exc:
            reached = max(self._reached, self._clock.monotonic() - self._revocations.silent_for())
            if self._clock.monotonic() - reached > LOST:
                raise Unavailable(
                    "Sessions cannot be checked at the moment", retry_after=1
                ) from exc
            return known.caller

    async def _exchange(self, digest: bytes, service: Service, ask: Ask) -> _Exchanged:
        """Exchange once, however many requests wait for it."""
        key = (digest, service)
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.get_running_loop().create_future()
            asking.add_done_callback(_retrieve)
            _ = self._supervisor.spawn("token exchange", self._settle(key, ask, asking))
        return await asyncio.shield(asking)

    async def _settle(
        self, key: tuple[bytes, Service], ask: Ask, asking: "asyncio.Future[_Exchanged]"
    ) -> None:
        try:
            exchanged = await self._asked(ask)
        except ServiceError as exc:
            if isinstance(exc, Unauthenticated):
                # The next try is charged like any unknown credential.
                for service in _SERVICES:
                    self._exchanged.pop((key[0], service), None)
            asking.set_exception(exc)
        else:
            keep(self._exchanged, key, exchanged)
            asking.set_result(exchanged)
        finally:
            del self._asking[key]
            if not asking.done():
                asking.cancel()

    async def _asked(self, ask: Ask) -> _Exchanged:
        asked = self._clock.monotonic()
        exchange = await ask(self._revocations.unsettled)
        now = self._reached = self._clock.monotonic()
        # Never kept past the point where a call made with it could outlive it.
        life = max(exchange.expires_in - RENEW, exchange.expires_in / 2)
        caller = Caller(_principal(exchange.token), exchange.token, exchange.key)
        return _Exchanged(caller, asked, now, now + life)


def digest_of(credential: str) -> bytes:
    """What a credential is known by here."""
    return hashlib.sha256(credential.encode("utf-8", "surrogateescape")).digest()


def keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    """Remember *value*, and forget the oldest when there are too many."""
    kept[key] = value
    if len(kept) > MOST:
        kept.popitem(last=False)


def _principal(credential: str) -> Principal:
    """Whom an internal token stands for. It came from the auth service itself, just now."""
    try:
        return Principal.of_claims(jwt.decode(credential, options={"verify_signature": False}))
    except (jwt.PyJWTError, KeyError, ValueError) as exc:
        raise Unavailable("The auth service gave a token that cannot be used") from exc


def _retrieve(asking: "asyncio.Future[_Exchanged]") -> None:
    """Whoever waited may have left: then nobody else looks at the failure."""
    if not asking.cancelled():
        asking.exception()
