"""Who a bearer of an access token is: verified here, its session watched, exchanged for use inside.

- The signature is checked once; the result is kept under the token's SHA-256 until it expires.
- The session is looked up among the dead ones on every request, cached or not.
- Each service gets a token of its own, exchanged at the auth service, which checks the session too.
- When the feed of dead sessions is silent, that exchange is asked for again every second. When the
  auth service has not been reached in any way for half a minute, nobody gets in.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, TypeVar

import jwt

from chassis.clock import Clock
from chassis.errors import ServiceError, Unauthenticated, Unavailable
from chassis.lifecycle import Supervisor
from chassis.rpc.client import RpcClient
from chassis.rpc.context import Principal
from chassis.rpc.jws import TokenRefused, claims_of, header_of
from chassis.rpc.keys import KeySource
from gateway.adapters.revocations import Revocations
from gateway.ports import Caller, Service
from protos.auth.v1 import auth_pb2 as pb
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub

K = TypeVar("K")
V = TypeVar("V")
TYP: Final = "at+jwt"
ISSUER: Final = "autoworker"
AUDIENCE: Final = "autoworker-api"
SILENT: Final = 5.0
LOST: Final = 30.0
RECHECK: Final = 1.0
RENEW: Final = 20.0
EXCHANGE_TIMEOUT: Final = 5.0
MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Verified:
    session_id: str
    expires: float
    """Wall clock, seconds of the epoch."""
    until: float
    """The same moment on the monotonic clock: setting the wall clock back revives nothing."""


@dataclass(frozen=True, slots=True)
class _Exchanged:
    caller: Caller
    fetched: float
    until: float


class TokenGatekeeper:
    """Implements the port `Gatekeeper`.

    Args:
        client: an entered client of the auth service.
        keys: the keys that access tokens are verified with.
        revocations: the dead sessions.
        supervisor: owns exchanges, which several requests may wait for.
        clock: what expiry and silence are measured with.
    """

    def __init__(
        self,
        client: RpcClient,
        keys: KeySource,
        revocations: Revocations,
        supervisor: Supervisor,
        clock: Clock,
    ) -> None:
        self._client = client
        self._stub = AuthServiceStub(client.channel)
        self._keys = keys
        self._revocations = revocations
        self._supervisor = supervisor
        self._clock = clock
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._exchanged: OrderedDict[tuple[bytes, Service], _Exchanged] = OrderedDict()
        self._asking: dict[tuple[bytes, Service], asyncio.Future[_Exchanged]] = {}
        self._reached = clock.monotonic()

    def has_seen(self, access_token: str) -> bool:
        """See `Gatekeeper.has_seen`."""
        known = self._verified.get(_digest(access_token))
        return known is not None and self._alive(known)

    async def admit(self, access_token: str, service: Service) -> Caller:
        """See `Gatekeeper.admit`."""
        digest = _digest(access_token)
        known = self._verified.get(digest)
        if known is None:
            known = await self._verify(access_token)
            _keep(self._verified, digest, known)
        if not self._alive(known):
            raise TokenRefused("expired or revoked")
        exchanged = self._exchanged.get((digest, service))
        now = self._clock.monotonic()
        silent = self._revocations.silent_for() > SILENT
        if exchanged is not None and now < exchanged.until:
            if not silent or now - exchanged.fetched < RECHECK:
                return exchanged.caller
            return await self._recheck(access_token, digest, service, exchanged)
        return (await self._exchange(access_token, digest, service)).caller

    def forget(self, session_id: str) -> None:
        """See `Gatekeeper.forget`."""
        if session_id:
            self._revocations.add(session_id)

    def _alive(self, known: _Verified) -> bool:
        return (
            known.session_id not in self._revocations
            and self._clock.monotonic() < known.until
            and self._clock.now().timestamp() < known.expires
        )

    async def _verify(self, token: str) -> _Verified:
        header = header_of(token)
        if header.typ != TYP or header.kid is None:
            raise TokenRefused("typ")
        now = self._clock.now()
        claims = claims_of(
            token,
            await self._keys.key(header.kid),
            typ=TYP,
            issuer=ISSUER,
            audience=AUDIENCE,
            now=now,
            required=("jti", "sid", "tenant", "client_id"),
        )
        session = claims["sid"]
        if not isinstance(session, str) or not session:
            raise TokenRefused("claims")
        expires = float(claims["exp"])
        return _Verified(session, expires, self._clock.monotonic() + expires - now.timestamp())

    async def _recheck(
        self, token: str, digest: bytes, service: Service, known: _Exchanged
    ) -> Caller:
        """The feed is silent, so ask; while asking fails, what is known counts a little longer."""
        try:
            return (await self._exchange(token, digest, service)).caller
        except Unauthenticated:
            raise
        except ServiceError as exc:
            reached = max(self._reached, self._clock.monotonic() - self._revocations.silent_for())
            if self._clock.monotonic() - reached > LOST:
                raise Unavailable(
                    "Sessions cannot be checked at the moment", retry_after=1
                ) from exc
            return known.caller

    async def _exchange(self, token: str, digest: bytes, service: Service) -> _Exchanged:
        """Exchange once, however many requests wait for it."""
        key = (digest, service)
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.get_running_loop().create_future()
            asking.add_done_callback(_retrieve)
            _ = self._supervisor.spawn("token exchange", self._ask(token, key, asking))
        return await asyncio.shield(asking)

    async def _ask(
        self, token: str, key: tuple[bytes, Service], asking: "asyncio.Future[_Exchanged]"
    ) -> None:
        try:
            exchanged = await self._asked(token, key[1])
        except ServiceError as exc:
            if isinstance(exc, Unauthenticated):
                # Its session is dead: the next try is charged like any unknown token.
                self._verified.pop(key[0], None)
                self._exchanged.pop(key, None)
            asking.set_exception(exc)
        else:
            _keep(self._exchanged, key, exchanged)
            asking.set_result(exchanged)
        finally:
            del self._asking[key]
            if not asking.done():
                asking.cancel()

    async def _asked(self, token: str, service: Service) -> _Exchanged:
        request = pb.ExchangeTokenRequest(access_token=token, audience=f"svc:{service}")
        response = await self._client.call(
            self._stub.ExchangeToken, request, timeout=EXCHANGE_TIMEOUT
        )
        now = self._reached = self._clock.monotonic()
        credential = response.internal_token
        # Never kept past the point where a call made with it could outlive it.
        life = max(response.expires_in - RENEW, response.expires_in / 2)
        return _Exchanged(Caller(_principal(credential), credential), now, now + life)


def _principal(credential: str) -> Principal:
    """Whom an internal token stands for. It came from the auth service itself, just now."""
    try:
        claims = jwt.decode(credential, options={"verify_signature": False})
        return Principal(
            id=str(claims["sub"]),
            tenant=str(claims["tenant"]),
            kind="user",
            roles=tuple(claims["roles"]),
            permissions=frozenset(claims["permissions"]),
            session_id=claims.get("sid"),
        )
    except (jwt.PyJWTError, KeyError, TypeError) as exc:
        raise Unavailable("The auth service gave a token that cannot be used") from exc


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def _keep(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > MOST:
        kept.popitem(last=False)


def _retrieve(asking: "asyncio.Future[_Exchanged]") -> None:
    """Whoever waited may have left: then nobody else looks at the failure."""
    if not asking.cancelled():
        asking.exception()
