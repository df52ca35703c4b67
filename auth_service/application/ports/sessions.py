"""Sessions and refresh tokens."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.revocations import Change
from auth_service.domain.events import SessionRevoked
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.session import LiveSession, RefreshGrant, Session


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
    tenant: str


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
        self,
        digest: bytes,
        successor: RefreshGrant,
        *,
        event_id: str,
        times: RevocationTimes,
        client_id: str = "",
    ) -> Redemption:
        """Spend the token with *digest* in exchange for *successor*, in one atomic step.

        Of any number of simultaneous calls for one token at most one is `Rotated`. A spent token,
        or one of another client than *client_id*, revokes its session for good, and announces that
        under *event_id* if it still lived.
        """
        ...

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """End the session, put it on the revocation feed and announce it, all or nothing.

        Returns whether it was this call that ended it.
        """
        ...

    async def prove(self, session_id: str, proof: Proof, change: Change) -> bool:
        """Take *proof* as the session's latest and put *change* on the feed, both or neither.

        Returns whether there is such a session.
        """
        ...

    async def find_live(self, session_id: str, now: datetime) -> LiveSession | None:
        """The session with its user, unless it is unknown, revoked or expired."""
        ...

    async def is_known_network(self, user_id: str, network: str, now: datetime) -> bool:
        """Whether the user has a live session that was opened from *network*."""
        ...

    async def purge(self, now: datetime) -> None:
        """Drop expired sessions, and expired tokens of those that go on."""
        ...
