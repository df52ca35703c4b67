"""Clients, what was granted to them, and the requests on the way there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.revocations import Change
from auth_service.domain.events import SessionRevoked
from auth_service.domain.oauth.authorization import AuthorizationRequest, Login
from auth_service.domain.oauth.client import Client, ClientSecret
from auth_service.domain.oauth.grants import AuthorizationCode, Granted
from auth_service.domain.session import RefreshGrant, RevocationReason, Session
from auth_service.domain.signing_key import SigningKey


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """The principal that a client is by itself, and the session that its tokens belong to."""

    user_id: str
    roles: tuple[str, ...]
    session_id: str


@dataclass(frozen=True, slots=True)
class Ending:
    """How sessions end together: each is announced and put on the feed, in the same transaction."""

    event_id: str
    reason: RevocationReason
    at: datetime
    forget_at: datetime


class OAuthClients(Protocol):
    """The clients of every tenant, with their secrets and service accounts."""

    async def add(
        self, client: Client, secret: ClientSecret | None, account: ServiceAccount | None
    ) -> None:
        """Keep a new client, its secret and its account, all or nothing."""
        ...

    async def replace(
        self, client: Client, account: ServiceAccount | None, change: Change | None
    ) -> None:
        """Take over what *client* says now; an account is made when it is new.

        Raises:
            ClientNotFound: it is gone.
        """
        ...

    async def find(self, client_id: str) -> Client | None:
        """The client, of whatever tenant: who calls knows its id only."""
        ...

    async def page(self, tenant: str, *, after: str, limit: int) -> Sequence[Client]:
        """The tenant's clients by id, those behind *after*."""
        ...

    async def secrets(self, client_id: str, now: datetime) -> Sequence[ClientSecret]:
        """Its live secrets, oldest first."""
        ...

    async def rotate(self, client: Client, secret: ClientSecret, *, old_until: datetime) -> None:
        """Add *secret*; of those before it the latest counts until *old_until*, others no more.

        Raises:
            ClientNotFound: it is gone.
        """
        ...

    async def delete(self, client: Client, ending: Ending) -> Sequence[str]:
        """Forget the client and all that was granted to it; the sessions that this ended."""
        ...

    async def session_of(self, client: Client) -> str:
        """The session of its service account, "" when it has none."""
        ...

    async def renew_session(self, client: Client, session: Session, ending: Ending) -> None:
        """End the session of its service account and give it *session* instead.

        Raises:
            ClientNotFound: it is gone.
        """
        ...

    async def first_use(self, client_id: str, assertion: bytes, expires_at: datetime) -> bool:
        """Whether the assertion with this digest was never seen before; it is remembered now."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """An authorization request that waits for its user."""

    digest: bytes
    tenant: str
    request: AuthorizationRequest
    browser: bytes
    """The digest of the cookie of the browser that began it. No other may go on with it."""
    started_at: datetime
    expires_at: datetime
    hinted_user: str = ""
    consented: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a request: at most one of these, and only if nothing has come of it yet."""

    code: AuthorizationCode | None = None
    opened: "Opened | None" = None
    device: bytes = b""
    granted: Granted | None = None
    """For the device."""


class AuthorizationRequests(Protocol):
    """Requests between the first redirect and the last."""

    async def push(
        self, digest: bytes, client_id: str, values: Mapping[str, str], expires_at: datetime
    ) -> None:
        """Keep the parameters that a client pushed (RFC 9126)."""
        ...

    async def take_pushed(
        self, digest: bytes, client_id: str, now: datetime
    ) -> Mapping[str, str] | None:
        """What the client pushed, once; None when there is nothing (any more)."""
        ...

    async def add(self, pending: Pending) -> None:
        """Keep a new request."""
        ...

    async def find(self, digest: bytes, now: datetime) -> Pending | None:
        """The request, unless it is unknown, expired or finished."""
        ...

    async def finish(
        self, pending: Pending, outcome: Outcome, *, consent: Sequence[str] | None, now: datetime
    ) -> bool:
        """Finish the request with *outcome*, and remember the consent of its user, in one step.

        Returns whether it was this call that finished it: of any number at most one is.
        """
        ...


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser in which somebody is logged in."""

    digest: bytes
    tenant: str
    login: Login
    expires_at: datetime


class Browsers(Protocol):
    """Logins in browsers. A browser is known by the digest of its cookie."""

    async def find(self, digest: bytes, now: datetime) -> Browser | None:
        """Who is logged in there, unless the login has expired or its session was revoked."""
        ...

    async def open(
        self, browser: Browser, session: Session, *, before: bytes, ending: Ending
    ) -> None:
        """Log in: the requests that the cookie *before* began go over to the new one.

        A login under *before* ends, and with it its session.
        """
        ...

    async def end(self, browser: Browser, ending: Ending) -> Sequence[str]:
        """Log out: the session ends, and those of clients that did not get offline access.

        Returns the sessions that this ended.
        """
        ...


@dataclass(frozen=True, slots=True)
class Consent:
    """What a user has agreed to."""

    client_id: str
    client_name: str
    scopes: tuple[str, ...]
    granted_at: datetime


class Consents(Protocol):
    """What users have agreed to."""

    async def find(self, user_id: str, client_id: str) -> Sequence[str]:
        """The scopes that the user lets the client have."""
        ...

    async def of(self, user_id: str) -> Sequence[Consent]:
        """Everything that the user has agreed to, by client."""
        ...

    async def withdraw(self, user_id: str, client_id: str, ending: Ending) -> Sequence[str] | None:
        """Forget it and end what the client has; the ended sessions, None if there was nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that a grant opens, with the refresh token that may come with it."""

    session: Session
    granted: Granted
    expires_at: datetime
    refresh: RefreshGrant | None = None


@dataclass(frozen=True, slots=True)
class Redeemed:
    """The code was good; it is spent now, and the session is open."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """The code had been spent before; what was got for it is dead, by this call if *revoked*."""

    session_id: str
    user_id: str
    revoked: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such code (any more)."""


CodeRedemption = Redeemed | Replayed | Unknown


class OAuthGrants(Protocol):
    """Codes, and the sessions that clients got for them or otherwise."""

    async def find_code(self, digest: bytes) -> AuthorizationCode | None:
        """The code, spent or not."""
        ...

    async def redeem_code(self, digest: bytes, opened: Opened, ending: Ending) -> CodeRedemption:
        """Spend the code and open the session, in one atomic step.

        Of any number of simultaneous calls at most one is `Redeemed`; the others revoke what it
        got.
        """
        ...

    async def revoke_spent(self, digest: bytes, ending: Ending) -> CodeRedemption:
        """End what was got for the code, if it is spent: it is in the wrong hands."""
        ...

    async def open(self, opened: Opened) -> None:
        """Open a session without a code."""
        ...

    async def find(self, session_id: str) -> Granted | None:
        """What was granted with the session."""
        ...

    async def session_of(self, refresh_digest: bytes, now: datetime) -> str | None:
        """The session of an unspent refresh token, None when it does not count."""
        ...

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """End the session; whether it was this call that did."""
        ...


class IdTokens(Protocol):
    """ID tokens, and the assertions by which clients prove who they are."""

    def sign(self, key: SigningKey, claims: Mapping[str, object]) -> str:
        """An ID token with *claims*."""
        ...

    def read_hint(
        self, token: str, keys: Sequence[SigningKey], issuer: str
    ) -> Mapping[str, object] | None:
        """The claims of an ID token of ours, expired or not; None when it is not one."""
        ...

    def read_assertion(
        self, assertion: str, jwks: str, *, client_id: str, audiences: Sequence[str], now: datetime
    ) -> Mapping[str, object] | None:
        """The claims of a client's assertion (RFC 7523 section 3); None when it proves nothing."""
        ...
