"""Handing out tokens: what login and refresh have in common."""

from dataclasses import dataclass

from auth_service.application.key_ring import KeyRing
from auth_service.application.opaque_tokens import digest_of, new_token
from auth_service.application.ports import Randomness, TokenGrant, Tokens
from auth_service.domain.session import LiveSession, RefreshGrant, SessionPolicy
from auth_service.domain.signing_key import KeyUse
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class IssuedTokens:
    """What a client gets: `expires_in` seconds of access, and the means to get more."""

    access_token: str
    expires_in: int
    refresh_token: str
    device_token: str = ""
    """The next token of a remembered device; "" when it is none."""


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
        token = new_token(self.randomness)
        now = self.clock.now()
        grant = RefreshGrant(digest_of(token), now, now + self.policy.refresh_token)
        return FreshRefreshToken(token, grant)

    def issue(self, session: LiveSession, refresh: FreshRefreshToken) -> IssuedTokens:
        """The answer for *session*, with a new access token."""
        access, expires_in = self.access_token(session)
        return IssuedTokens(access, expires_in, refresh.token)

    def access_token(self, session: LiveSession) -> tuple[str, int]:
        """A new access token of *session*, and for how many seconds it is good."""
        now = self.clock.now()
        life = self.policy.access_token
        grant = TokenGrant(self.ids.new(), session, now, now + life)
        access = self.tokens.access_token(self.ring.signing(KeyUse.ACCESS), grant)
        return access, int(life.total_seconds())
