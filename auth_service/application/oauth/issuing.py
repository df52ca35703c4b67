"""Handing out tokens to clients: what every grant has in common."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from auth_service.application.key_ring import KeyRing
from auth_service.application.oauth.digests import digest_of, opaque
from auth_service.application.ports import Randomness, TokenGrant, Tokens, Users
from auth_service.application.ports.oauth import (
    Ending,
    IdTokens,
    OAuthGrants,
    Opened,
)
from auth_service.domain.oauth.client import Client, GrantType, IdTokenAlgorithm
from auth_service.domain.oauth.grants import Delegation, Granted, invalid_grant
from auth_service.domain.oauth.scopes import OFFLINE, OPENID
from auth_service.domain.session import (
    LiveSession,
    Origin,
    RefreshGrant,
    RevocationReason,
    Session,
    SessionPolicy,
)
from auth_service.domain.signing_key import KeyUse
from auth_service.domain.user import User
from chassis.clock import Clock
from chassis.ids import Ids

_KEYS = {
    IdTokenAlgorithm.RS256: KeyUse.ID_RS256,
    IdTokenAlgorithm.ES256: KeyUse.ID_ES256,
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is opened when a grant succeeds, and the refresh token that only its client gets."""

    opened: Opened
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Issuing:
    """Makes the tokens of clients."""

    users: Users
    grants: OAuthGrants
    tokens: Tokens
    id_tokens: IdTokens
    ring: KeyRing
    policy: SessionPolicy
    randomness: Randomness
    clock: Clock
    ids: Ids

    def prepare(
        self, client: Client, granted: Granted, origin: Origin, *, refreshable: bool = True
    ) -> Prepared:
        """A session for *granted*. With offline access it lasts as long as its refresh tokens."""
        now = self.clock.now()
        session = Session(
            id=self.ids.new(),
            user_id=granted.user_id,
            tenant=granted.tenant,
            origin=origin,
            created_at=now,
            proof=granted.login.proof,
            client_id=client.id,
            parent_id=granted.login.session_id,
        )
        offline = OFFLINE in granted.scopes and GrantType.REFRESH_TOKEN in client.grants
        if offline and refreshable:
            token, refresh = self.refresh_token()
            return Prepared(Opened(session, granted, refresh.expires_at, refresh), token)
        # Kept a little longer than its tokens: their end is what their readers shall see.
        return Prepared(Opened(session, granted, now + self.policy.access_token * 2), "")

    def refresh_token(self) -> tuple[str, RefreshGrant]:
        """A new refresh token, and what the store keeps of it."""
        token, now = opaque(self.randomness), self.clock.now()
        return token, RefreshGrant(digest_of(token), now, now + self.policy.refresh_token)

    def ending(self, reason: RevocationReason) -> Ending:
        """The end of sessions for *reason*, now."""
        now = self.clock.now()
        return Ending(self.ids.new(), reason, now, self.policy.forget_revocation_at(now))

    async def user_of(self, granted: Granted) -> User:
        """The user as of now.

        Raises:
            OAuthRefused: it is gone.
        """
        user = await self.users.find(granted.tenant, granted.user_id)
        if user is None:
            raise invalid_grant()
        return user

    def access_token(
        self, client: Client, session: LiveSession, scopes: tuple[str, ...]
    ) -> tuple[str, timedelta]:
        """An access token with *scopes*, and how long it lives."""
        now, life = self.clock.now(), self.policy.access_token
        grant = TokenGrant(
            self.ids.new(), session, now, now + life, delegation=Delegation(client.id, scopes)
        )
        return self.tokens.access_token(self.ring.signing(KeyUse.ACCESS), grant), life

    def response(
        self,
        client: Client,
        session: LiveSession,
        granted: Granted,
        *,
        issuer: str,
        refresh_token: str = "",
        scopes: tuple[str, ...] | None = None,
    ) -> Mapping[str, object]:
        """The members of a token response (RFC 6749 section 5.1, OpenID Connect Core 3.1.3.3)."""
        wanted = granted.scopes if scopes is None else scopes
        access_token, life = self.access_token(client, session, wanted)
        members: dict[str, object] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(life.total_seconds()),
            "scope": " ".join(wanted),
        }
        if refresh_token:
            members["refresh_token"] = refresh_token
        if OPENID in wanted:
            members["id_token"] = self.id_token(
                client, granted, issuer=issuer, access_token=access_token
            )
        return members

    def id_token(
        self,
        client: Client,
        granted: Granted,
        *,
        issuer: str,
        access_token: str = "",
        about_user: Mapping[str, object] | None = None,
    ) -> str:
        """An ID token (OpenID Connect Core section 2)."""
        now, login = self.clock.now(), granted.login
        proof = login.proof
        claims: dict[str, object] = {
            **(about_user or {}),
            "iss": issuer,
            "sub": granted.user_id,
            "aud": client.id,
            "iat": _seconds(now),
            "exp": _seconds(now + self.policy.access_token),
            "auth_time": _seconds(proof.at),
            "acr": proof.acr,
            "amr": list(proof.amr),
            "azp": client.id,
        }
        if login.session_id:
            claims["sid"] = login.session_id
        if granted.nonce:
            claims["nonce"] = granted.nonce
        if access_token:
            claims["at_hash"] = half_hash(access_token)
        key = self.ring.signing(_KEYS[client.id_token_algorithm])
        return self.id_tokens.sign(key, claims)


def half_hash(token: str) -> str:
    """The left half of its SHA-256, for both algorithms (OpenID Connect Core 3.1.3.6)."""
    half = hashlib.sha256(token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def user_claims(user: User, scopes: tuple[str, ...]) -> Mapping[str, object]:
    """What *scopes* let a client know about *user* (OpenID Connect Core 5.4)."""
    claims: dict[str, object] = {"sub": user.id}
    if "profile" in scopes:
        claims |= {"name": user.name, "updated_at": _seconds(user.updated_at)}
    if "email" in scopes:
        claims |= {"email": user.email.text, "email_verified": user.email_verified}
    return claims


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
