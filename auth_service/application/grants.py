"""Handing out tokens: what login and refresh have in common."""

import base64
import hashlib
from dataclasses import dataclass

from auth_service.application.key_ring import KeyRing
from auth_service.application.ports import Randomness, TokenGrant, Tokens
from auth_service.domain.session import LiveSession, RefreshGrant, SessionPolicy
from auth_service.domain.signing_key import KeyUse
from chassis.clock import Clock
from chassis.ids import Ids

_REFRESH_BYTES = 32


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a client gets: `expires_in` seconds of access, and the means to get more."""

    access_token: str
    expires_in: int
    refresh_token: str


@dataclass(frozen=True, slots=True)
class FreshRefreshToken:
    """A refresh token on its way out, and what the store keeps of it."""

    token: str
    grant: RefreshGrant


@dataclass(frozen=True, slots=True)
class Grants:
    """Makes access and refresh tokens; stores nothing."""

    tokens: Tokens
    ring: KeyRing
    policy: SessionPolicy
    randomness: Randomness
    clock: Clock
    ids: Ids

    def refresh_token(self) -> FreshRefreshToken:
        """A new opaque token of 256 bits."""
        noise = self.randomness.token_bytes(_REFRESH_BYTES)
        token = base64.urlsafe_b64encode(noise).rstrip(b"=").decode()
        now = self.clock.now()
        grant = RefreshGrant(refresh_digest(token), now, now + self.policy.refresh_token)
        return FreshRefreshToken(token, grant)

    def issue(self, session: LiveSession, refresh: FreshRefreshToken) -> IssuedTokens:
        """The answer for *session*, with a new access token."""
        now = self.clock.now()
        life = self.policy.access_token
        grant = TokenGrant(self.ids.new(), session, now, now + life)
        access = self.tokens.access_token(self.ring.signing(KeyUse.ACCESS), grant)
        return IssuedTokens(access, int(life.total_seconds()), refresh.token)


def refresh_digest(token: str) -> bytes:
    """What the store knows a refresh token by. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
