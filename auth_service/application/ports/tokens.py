"""Tokens, and the keys that sign them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.domain.api_key import Environment
from auth_service.domain.oauth.grants import Delegation
from auth_service.domain.session import LiveSession
from auth_service.domain.signing_key import KeyPair, KeyUse, SigningKey
from auth_service.domain.user import User


class SigningKeys(Protocol):
    """The keys that sign tokens, private halves included."""

    async def add(self, key: SigningKey) -> bool:
        """Keep *key* unless its predecessor has a successor already; whether it was kept."""
        ...

    async def all(self) -> Sequence[SigningKey]:
        """Every key, oldest first."""
        ...

    async def purge(self, now: datetime) -> None:
        """Drop the expired ones, but never the latest of a use."""
        ...


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says (RFC 9068), after its proof."""

    user_id: str
    session_id: str
    tenant: str
    expires_at: datetime
    issued_at: datetime
    delegation: Delegation | None = None


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a token is to say about a user in a session. Only internal ones tell *permissions*."""

    id: str
    session: LiveSession
    issued_at: datetime
    expires_at: datetime
    permissions: tuple[str, ...] = ()
    delegation: Delegation | None = None
    """There when a client acts for the user."""


@dataclass(frozen=True, slots=True)
class KeyGrant:
    """What a token is to say about a user whose API key is used."""

    id: str
    user: User
    key_id: str
    environment: Environment
    permissions: Sequence[str]
    issued_at: datetime
    expires_at: datetime


class Tokens(Protocol):
    """JSON Web Tokens: made with one key, verified with several."""

    def new_pair(self, use: KeyUse) -> KeyPair:
        """Fresh key material for *use*, with a kid of its own."""
        ...

    def access_token(self, key: SigningKey, grant: TokenGrant) -> str:
        """An access token for the API (RFC 9068)."""
        ...

    def internal_token(
        self, key: SigningKey, grant: TokenGrant, *, audience: str, actor: str
    ) -> str:
        """A token by which *actor* acts for the user at the one service *audience*."""
        ...

    def key_token(self, key: SigningKey, grant: KeyGrant, *, audience: str, actor: str) -> str:
        """A token by which *actor* acts for the holder of an API key at the one service *audience*."""
        ...

    def verify_access_token(
        self, token: str, keys: Sequence[SigningKey], now: datetime
    ) -> AccessClaims:
        """What *token* says, if it is an access token for the API under one of *keys*.

        Raises:
            AccessTokenRefused: it is not.
        """
        ...

    def key_set(self, keys: Sequence[SigningKey]) -> bytes:
        """The public halves as a JWK set (RFC 7517)."""
        ...
