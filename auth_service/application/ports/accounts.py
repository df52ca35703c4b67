"""What happens to accounts as wholes: changed, looked through, erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.account import AccountToken, Purpose
from auth_service.domain.events import Event
from auth_service.domain.session import RevocationReason
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class Ending:
    """All sessions of a user end, but *spare*; *id* names the events that tell of it."""

    id: str
    reason: RevocationReason
    at: datetime
    forget_at: datetime
    spare: str = ""


@dataclass(frozen=True, slots=True)
class AccountChange:
    """All that changes about an account in one step.

    Args:
        before: the user as it was read.
        after: as it is to be: address, name, password, and whether confirmed and active.
        spend: the digest of the token that allows it, and what it must be good for.
        ending: which sessions end with it.
        obsolete: links for these purposes are good no more.
        events: what others are told.
        mails: what people are told.
    """

    before: User
    after: User
    spend: tuple[bytes, Sequence[Purpose]] | None = None
    ending: Ending | None = None
    obsolete: Sequence[Purpose] = ()
    events: Sequence[Event] = ()
    mails: Sequence[OutgoingMail] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """The end of an account."""

    user: User
    ending: Ending
    events: Sequence[Event]
    mails: Sequence[OutgoingMail]


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users of a tenant; None: all. *email* is the beginning of the address."""

    email: str = ""
    role: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class PageKey:
    """Where a page begins: behind this moment and, among those of the same, this id."""

    at: datetime
    id: str


class Accounts(Protocol):
    """Accounts as administrators and their owners change them."""

    async def keep_token(self, token: AccountToken, mails: Sequence[OutgoingMail]) -> None:
        """Keep *token* and the mails that bear it, all or nothing.

        Earlier tokens of the same user for the same purpose are good no more.
        """
        ...

    async def find_token(
        self, digest: bytes, purposes: Sequence[Purpose], now: datetime
    ) -> AccountToken | None:
        """The token, if it is good for one of *purposes* now. Looking does not use it."""
        ...

    async def apply(self, change: AccountChange) -> Sequence[str]:
        """Make all of *change* true, or nothing of it; the ids of the sessions that it ended.

        Of any number of simultaneous calls that spend one token, one succeeds at most.

        Raises:
            AccountTokenRefused: the token cannot be spent (any more).
            AccountChanged: the user is not as it was read.
            EmailTaken: somebody else in the tenant has the new address.
            LastAdministrator: the tenant would have no active administrator.
        """
        ...

    async def erase(self, erasure: Erasure) -> Sequence[str]:
        """Delete the user and everything personal that is kept here; the ids of ended sessions.

        Raises:
            UserNotFound: there is no such user.
            LastAdministrator: the tenant would have no active administrator.
        """
        ...

    async def page(
        self, tenant: str, wanted: UserFilter, after: PageKey | None, limit: int
    ) -> Sequence[User]:
        """Up to *limit* users, the newest first."""
        ...

    async def purge(self, now: datetime) -> None:
        """Drop expired tokens, and places nobody was seen at for a long time."""
        ...


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A live session as its owner sees it; *client_id* is empty for a login to the API itself."""

    id: str
    address: str
    network: str
    user_agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    client_id: str = ""


class SessionList(Protocol):
    """The sessions of users."""

    async def page(
        self, tenant: str, user_id: str, now: datetime, after: PageKey | None, limit: int
    ) -> Sequence[SessionRecord]:
        """Up to *limit* live sessions of the user, the newest first."""
        ...

    async def end(self, tenant: str, user_id: str, ending: Ending) -> Sequence[str]:
        """End the sessions of the user, all in one step; the ids of those that lived."""
        ...

    async def seen(self, sightings: Mapping[str, datetime]) -> None:
        """Note when sessions were last in use; never sets one back."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """A device or a network."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class SeenPlace:
    """A place where somebody was, from the first time to the last."""

    place: Place
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class KnownPlaces:
    """What is known of where somebody logs in from. *any* is false before the first login."""

    any: bool
    known: frozenset[Place] = field(default_factory=frozenset)
    latest_at: datetime | None = None


class LoginPlaces(Protocol):
    """Where users have logged in from."""

    async def known(self, user_id: str, places: Sequence[Place]) -> KnownPlaces:
        """Which of *places* are known, and where the user was last."""
        ...

    async def all(self, user_id: str) -> Sequence[SeenPlace]:
        """Everywhere that the user was seen."""
        ...

    async def remember(
        self,
        user_id: str,
        places: Sequence[Place],
        at: datetime,
        events: Sequence[Event] = (),
        mails: Sequence[OutgoingMail] = (),
    ) -> None:
        """The user was there at *at*; *events* and *mails* go out with it, all or nothing."""
        ...
