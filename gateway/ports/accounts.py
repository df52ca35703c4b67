"""What people do with their own accounts, and administrators with those of others."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Origin, Page, PageRequest

Link = Literal["password-reset", "verify-email"]
"""What a mailed link is for."""


class Session(Struct, frozen=True):
    """Where one is logged in. *device* is what the browser said, in a few known words.

    *client_id* names the OAuth client that it was granted to; empty: a login to the API itself.
    """

    id: str
    device: str
    user_agent: str
    address: str
    network: str
    created_at: datetime | None
    last_seen_at: datetime | None
    expires_at: datetime | None
    current: bool
    client_id: str


class Account(Struct, frozen=True):
    """A user as administrators see them."""

    id: str
    email: str
    email_verified: bool
    name: str
    roles: list[str]
    active: bool
    created_at: datetime | None


class Ended(Struct, frozen=True):
    """How many sessions have ended."""

    ended: int


@dataclass(frozen=True, slots=True)
class Presence:
    """Who asks for something sensitive, and their password if they gave it."""

    caller: Caller
    origin: Origin
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which users; None: all. *email* is the beginning of the address."""

    email: str
    role: str | None
    active: bool | None


class Accounts(Protocol):
    """Passwords, addresses, sessions; leaving, and taking along what is known."""

    async def request_link(
        self, email: str, link: Link, origin: Origin, *, tenant: str = "default"
    ) -> bool:
        """Have a link mailed, if there is somebody to mail it to.

        Returns whether mail is sent here at all, which is the same for every address.

        Raises:
            RateLimited: too many were asked for from there.
        """

    async def set_password(self, token: str, new_password: str, origin: Origin) -> None:
        """Spend the token of a link for a new password; all sessions end.

        Raises:
            Invalid: the token is not good (any more), or the password breaks a rule.
        """

    async def confirm_email(self, token: str, origin: Origin) -> None:
        """Spend the token of a link, which proves the address that it was mailed to.

        Raises:
            Invalid: the token is not good (any more).
            Conflict: somebody else has the address by now.
        """

    async def sessions(self, caller: Caller, page: PageRequest) -> Page[Session]:
        """The caller's live sessions."""

    async def end_session(self, caller: Caller, session_id: str) -> None:
        """End one of the caller's.

        Raises:
            NotFound: they have no such session.
        """

    async def end_other_sessions(self, caller: Caller) -> Ended:
        """End all of the caller's but this one."""

    async def change_password(self, presence: Presence, new_password: str) -> None:
        """Change the caller's; all other sessions end.

        Raises:
            PermissionDenied: they must prove first that it is them.
            MfaRequired: with a second factor.
            Invalid: the password breaks a rule.
        """

    async def change_email(self, presence: Presence, email: str) -> None:
        """Mail a link to the new address; it counts once that was used."""

    async def deactivate_me(self, presence: Presence) -> None:
        """Deactivate the caller's account."""

    async def delete_me(self, presence: Presence) -> None:
        """Delete the caller's account for good."""

    async def export_me(self, presence: Presence) -> Raw:
        """All that identity knows of the caller, as a JSON object."""


class Users(Protocol):
    """The accounts of the caller's tenant, for administrators.

    Every method that changes one raises PermissionDenied for a user who may do more than the caller.
    """

    async def users(
        self, caller: Caller, wanted: AccountFilter, page: PageRequest
    ) -> Page[Account]:
        """Those that are wanted, the newest first."""

    async def user(self, caller: Caller, user_id: str) -> Account:
        """One.

        Raises:
            NotFound: there is none in this tenant.
        """

    async def create_user(
        self, caller: Caller, email: str, name: str, password: str | None
    ) -> Account:
        """Make one; without a password they are invited by mail.

        Raises:
            Conflict: the address is taken, or no invitation can be sent.
            Invalid: something breaks a rule.
        """

    async def update_user(
        self, caller: Caller, user_id: str, name: str | None, email: str | None
    ) -> Account:
        """Change what is given; None leaves it."""

    async def set_active(self, caller: Caller, user_id: str, *, active: bool) -> Account:
        """Deactivate, or take that back.

        Raises:
            Conflict: it is the last active administrator.
        """

    async def end_sessions(self, caller: Caller, user_id: str) -> Ended:
        """Log somebody out everywhere."""

    async def delete_user(self, caller: Caller, user_id: str) -> None:
        """Delete one for good.

        Raises:
            Conflict: it is the last active administrator.
        """
