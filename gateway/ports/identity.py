"""Accounts, sessions, and who a caller is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from msgspec import UNSET, Struct, UnsetType

from chassis.rpc.context import Principal
from gateway.ports.common import Caller, Origin, Service


class User(Struct, frozen=True):
    """Somebody who may log in."""

    id: str
    email: str
    name: str
    roles: list[str]
    created_at: datetime | None


class Profile(User, frozen=True):
    """Oneself, with what one may do."""

    tenant: str
    permissions: list[str]
    email_verified: bool


class Tokens(Struct, frozen=True):
    """An access token for some minutes (``expires_in`` seconds), and how to get the next one."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    device_token: str | UnsetType = UNSET
    """Of a remembered device: for the next login there, in the place of a code."""


RevocationKind = Literal["session", "principal", "key", "policy"]


@dataclass(frozen=True, slots=True)
class Revocation:
    """What must not be believed any more: a session, or what was known of its *subject* so far.

    The subject is the id of a session, of a user or client, of an API key, or the name of a tenant.
    """

    kind: RevocationKind
    subject: str

    def concerns(self, principal: Principal) -> bool:
        """Whether *principal* acts by what this is about."""
        match self.kind:
            case "session":
                return principal.session_id == self.subject
            case "principal":
                return self.subject in (principal.id, principal.client_id)
            case "key":
                return principal.key_id == self.subject
            case "policy":
                return principal.tenant == self.subject


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody proves themselves with; "" is what they did not give."""

    email: str
    password: str = field(repr=False)
    otp: str = field(default="", repr=False)
    device_token: str = field(default="", repr=False)
    remember_device: bool = False
    tenant: str = "default"


class Auth(Protocol):
    """Registration and sessions."""

    async def register(
        self, email: str, password: str, name: str, origin: Origin, *, tenant: str = "default"
    ) -> User:
        """Make a user.

        Raises:
            Conflict: the address is taken.
            Invalid: address or password break a rule; each is named.
        """

    async def login(self, credentials: Credentials, origin: Origin) -> Tokens:
        """Open a session.

        Raises:
            Unauthenticated: wrong address or password, which of them is not told; or wrong code.
            MfaRequired: the user has a second factor; the details say how to go on.
        """

    async def refresh(self, refresh_token: str, origin: Origin) -> Tokens:
        """Spend a refresh token for new tokens.

        Raises:
            Unauthenticated: unknown, spent or revoked.
        """

    async def logout(self, caller: Caller) -> str:
        """End the caller's session; its tokens are dead. Returns the session's id."""

    async def me(self, caller: Caller) -> Profile:
        """The caller as the auth service knows them."""

    async def update_me(self, caller: Caller, name: str | None) -> Profile:
        """Change what is given; None leaves it."""

    async def public_keys(self) -> bytes:
        """The JWK set (RFC 7517, JSON) that access tokens are verified with."""


class Gatekeeper(Protocol):
    """Decides who a bearer of an access token is."""

    def has_seen(self, access_token: str) -> bool:
        """Whether the token was verified before and is still alive: checking it again is cheap."""

    async def admit(self, access_token: str, service: Service) -> Caller:
        """Verify the token and its session; the caller's credential is for *service*.

        Raises:
            Unauthenticated: not a living access token of ours.
            Unavailable: whether it lives cannot be known just now.
        """

    def forget(self, session_id: str) -> None:
        """Refuse every token of the session from now on."""
