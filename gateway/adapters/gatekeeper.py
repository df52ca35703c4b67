"""Who a bearer of an access token is: verified here, its session watched, exchanged for use inside.

- The signature is checked once; the result is kept under the token's SHA-256 until it expires.
- The session is looked up among the dead ones on every request, cached or not.
- Each service gets a token of its own, exchanged at the auth service, which checks the session too.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from chassis.clock import Clock
from chassis.errors import Unauthenticated
from chassis.rpc.client import RpcClient
from chassis.rpc.jws import TokenRefused, claims_of, header_of
from chassis.rpc.keys import KeySource
from gateway.adapters.exchanges import TIMEOUT, Exchange, Exchanges, digest_of, keep
from gateway.adapters.revocations import Revocations
from gateway.ports import Caller, Revocation, Service
from protos.auth.v1 import auth_pb2 as pb
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub

TYP: Final = "at+jwt"
ISSUER: Final = "autoworker"
AUDIENCE: Final = "autoworker-api"


@dataclass(frozen=True, slots=True)
class _Verified:
    session_id: str
    expires: float
    """Wall clock, seconds of the epoch."""
    until: float
    """The same moment on the monotonic clock: setting the wall clock back revives nothing."""


class TokenGatekeeper:
    """Implements the port `Gatekeeper`.

    Args:
        client: an entered client of the auth service.
        keys: the keys that access tokens are verified with.
        revocations: the dead sessions.
        exchanges: keeps internal tokens.
        clock: what expiry is measured with.
    """

    def __init__(
        self,
        client: RpcClient,
        keys: KeySource,
        revocations: Revocations,
        exchanges: Exchanges,
        clock: Clock,
    ) -> None:
        self._client = client
        self._stub = AuthServiceStub(client.channel)
        self._keys = keys
        self._revocations = revocations
        self._exchanges = exchanges
        self._clock = clock
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    def has_seen(self, access_token: str) -> bool:
        """See `Gatekeeper.has_seen`."""
        known = self._verified.get(digest_of(access_token))
        return known is not None and self._alive(known)

    async def admit(self, access_token: str, service: Service) -> Caller:
        """See `Gatekeeper.admit`."""
        digest = digest_of(access_token)
        known = self._verified.get(digest)
        if known is None:
            known = await self._verify(access_token)
            keep(self._verified, digest, known)
        if not self._alive(known):
            raise TokenRefused("expired or revoked")

        async def ask(fresh: bool) -> Exchange:
            request = pb.ExchangeTokenRequest(
                access_token=access_token, audience=f"svc:{service}", fresh=fresh
            )
            response = await self._client.call(self._stub.ExchangeToken, request, timeout=TIMEOUT)
            return Exchange(response.internal_token, response.expires_in)

        try:
            return await self._exchanges.caller(digest, service, ask)
        except Unauthenticated:
            # Its session is dead: the next try is charged like any unknown token.
            self._verified.pop(digest, None)
            raise

    def forget(self, session_id: str) -> None:
        """See `Gatekeeper.forget`."""
        if session_id:
            self._revocations.add(Revocation("session", session_id))

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
