"""What a token that somebody shows is worth right now."""

from collections.abc import Mapping
from dataclasses import dataclass

from auth_service.application.key_ring import KeyRing
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.digests import digest_of, is_opaque
from auth_service.application.ports import AccessClaims, Tokens
from auth_service.application.ports.oauth import OAuthGrants
from auth_service.domain.errors import AccessTokenRefused
from auth_service.domain.oauth.grants import Granted
from auth_service.domain.session import LiveSession
from auth_service.domain.signing_key import KeyUse
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class ShownAccess:
    """An access token that counts."""

    session: LiveSession
    claims: AccessClaims

    @property
    def client_id(self) -> str:
        """Who got it; "" for a login to the API itself."""
        return self.claims.delegation.client_id if self.claims.delegation else ""

    @property
    def scopes(self) -> tuple[str, ...]:
        """What it is good for."""
        return self.claims.delegation.scopes if self.claims.delegation else ()

    def described(self, issuer: str) -> Mapping[str, object]:
        """The members of RFC 7662 section 2.2."""
        by_client = {"client_id": self.client_id, "scope": " ".join(self.scopes)}
        return {
            "active": True,
            "token_type": "Bearer",
            **(by_client if self.client_id else {}),
            "sub": self.session.user.id,
            "username": self.session.user.email.text,
            "exp": int(self.claims.expires_at.timestamp()),
            "iat": int(self.claims.issued_at.timestamp()),
            "iss": issuer,
            "sid": self.session.id,
            "tenant": self.session.user.tenant,
        }


@dataclass(frozen=True, slots=True)
class ShownRefresh:
    """A refresh token that counts."""

    session: LiveSession
    granted: Granted

    @property
    def client_id(self) -> str:
        """Who got it."""
        return self.granted.client_id

    def described(self, issuer: str) -> Mapping[str, object]:
        """The members of RFC 7662 section 2.2."""
        return {
            "active": True,
            "client_id": self.client_id,
            "scope": " ".join(self.granted.scopes),
            "sub": self.session.user.id,
            "username": self.session.user.email.text,
            "iss": issuer,
            "sid": self.session.id,
            "tenant": self.session.user.tenant,
        }


ShownToken = ShownAccess | ShownRefresh


@dataclass(frozen=True, slots=True)
class TokenReading:
    """Reads tokens of either kind; the hint of a client is not needed to tell them apart."""

    tokens: Tokens
    ring: KeyRing
    live: LiveSessions
    grants: OAuthGrants
    clock: Clock

    async def __call__(self, token: str) -> ShownToken | None:
        """What *token* is worth; None: nothing (any more)."""
        if is_opaque(token):
            return await self._refresh(token)
        return await self.access(token)

    async def access(self, token: str) -> ShownAccess | None:
        """The access token, if it counts."""
        try:
            claims = self.tokens.verify_access_token(
                token, self.ring.verifying(KeyUse.ACCESS), self.clock.now()
            )
        except AccessTokenRefused:
            return None
        session = await self.live.find(claims.session_id)
        if session is None or session.user.id != claims.user_id:
            return None
        return ShownAccess(session, claims)

    async def _refresh(self, token: str) -> ShownRefresh | None:
        session_id = await self.grants.session_of(digest_of(token), self.clock.now())
        if session_id is None:
            return None
        session, granted = await self.live.find(session_id), await self.grants.find(session_id)
        return None if session is None or granted is None else ShownRefresh(session, granted)
