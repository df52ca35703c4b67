"""Everything that identity needs from the world, on one page.

Every store port may raise `chassis.errors.Unavailable` when the store cannot be reached; a write
that raised it may or may not have happened, one that returned is durable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.domain.events import SessionRevoked, UserRegistered, UserUpdated
from auth_service.domain.session import LiveSession, RefreshGrant, Session
from auth_service.domain.signing_key import KeyPair, SigningKey
from auth_service.domain.user import User


class Users(Protocol):
    """The users of every tenant."""

    async def add(self, event: UserRegistered) -> None:
        """Keep the new user and announce it, both or neither.

        Raises:
            EmailTaken: the tenant has a user with this e-mail key.
        """
        ...

    async def rename(self, event: UserUpdated) -> None:
        """Take over the name in *event* and announce it, both or neither.

        Raises:
            UserNotFound: there is no such user.
        """
        ...

    async def replace_hash(self, user_id: str, old: str, new: str) -> None:
        """Swap the password hash, unless it is no longer *old*."""
        ...

    async def find(self, tenant: str, user_id: str) -> User | None:
        """The user with this id, if it belongs to the tenant."""
        ...

    async def find_by_email(self, tenant: str, email_key: str) -> User | None:
        """The user whose address has this key."""
        ...

    async def first_administrator(self, tenant: str) -> User | None:
        """The administrator who was there first."""
        ...


@dataclass(frozen=True, slots=True)
class Rotated:
    """The token was good; it is spent now and its successor is stored."""

    session: LiveSession


@dataclass(frozen=True, slots=True)
class Reused:
    """The token had been spent before; its session is revoked, by this call if *revoked*."""

    session_id: str
    user_id: str
    generation: int
    revoked: bool


@dataclass(frozen=True, slots=True)
class NotRedeemable:
    """The token is unknown or expired, or its session is over; nothing changed."""


Redemption = Rotated | Reused | NotRedeemable


@dataclass(frozen=True, slots=True)
class RevocationTimes:
    """When a revocation happens and how long it must be remembered."""

    at: datetime
    forget_at: datetime


class Sessions(Protocol):
    """Sessions and their refresh tokens."""

    async def open(self, session: Session, first: RefreshGrant) -> None:
        """Keep a new session with its first refresh token, both or neither."""
        ...

    async def redeem(
        self, digest: bytes, successor: RefreshGrant, *, event_id: str, times: RevocationTimes
    ) -> Redemption:
        """Spend the token with *digest* in exchange for *successor*, in one atomic step.

        Of any number of simultaneous calls for one token at most one is `Rotated`. A spent token
        revokes its session for good, and announces that under *event_id* if it still lived.
        """
        ...

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """End the session, put it on the revocation feed and announce it, all or nothing.

        Returns whether it was this call that ended it.
        """
        ...

    async def find_live(self, session_id: str, now: datetime) -> LiveSession | None:
        """The session with its user, unless it is unknown, revoked or expired."""
        ...

    async def is_known_network(self, user_id: str, network: str, now: datetime) -> bool:
        """Whether the user has a live session that was opened from *network*."""
        ...

    async def purge(self, now: datetime) -> None:
        """Drop expired sessions, expired tokens of those that go on, forgotten revocations."""
        ...


@dataclass(frozen=True, slots=True)
class Revocation:
    """A session whose tokens are dead, at its place in the feed."""

    position: int
    session_id: str
    forget_at: datetime


class Revocations(Protocol):
    """The feed of revoked sessions, in the order in which they were committed."""

    async def after(self, position: int, *, now: datetime, limit: int) -> Sequence[Revocation]:
        """Those behind *position* that are still of use at *now*, oldest first."""
        ...

    async def wait(self, position: int, *, seconds: float) -> None:
        """Until there may be one behind *position*; at most *seconds*, and perhaps for nothing."""
        ...


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


class PasswordHasher(Protocol):
    """Slow, salted hashing with bounded resources.

    Raises (every coroutine):
        Unavailable: too many are waiting already.
    """

    @property
    def decoy(self) -> str:
        """A hash that no password matches and that costs as much to check as any other."""
        ...

    async def hash(self, password: str) -> str:
        """A new PHC string for *password*."""
        ...

    async def verify(self, password_hash: str, password: str) -> bool:
        """Whether *password* is the one; takes the same time either way."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        ...


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says (RFC 9068), after its proof."""

    user_id: str
    session_id: str
    tenant: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """What a token is to say about a user in a session."""

    id: str
    session: LiveSession
    issued_at: datetime
    expires_at: datetime


class Tokens(Protocol):
    """JSON Web Tokens: made with one key, verified with several."""

    def new_pair(self) -> KeyPair:
        """Fresh key material with a kid of its own."""
        ...

    def access_token(self, key: SigningKey, grant: TokenGrant) -> str:
        """An access token for the API (RFC 9068)."""
        ...

    def internal_token(
        self, key: SigningKey, grant: TokenGrant, *, audience: str, actor: str
    ) -> str:
        """A token by which *actor* acts for the user at the one service *audience*."""
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


class Randomness(Protocol):
    """Chance that nobody can predict."""

    def token_bytes(self, count: int) -> bytes:
        """*count* random bytes."""
        ...


class Audit(Protocol):
    """Where events that matter for security are told. Names are stable; values bear no secrets."""

    def record(self, event: str, **facts: str | int | bool) -> None:
        """Tell that *event* happened."""
        ...


class Outbox(Protocol):
    """Events on their way out. Writing to it is part of the writes that they tell of."""

    async def purge(self) -> None:
        """Drop those that everybody who reads it has passed on."""
        ...
