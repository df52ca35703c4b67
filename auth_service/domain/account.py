"""Links that are mailed to people, what they are good for, and for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from auth_service.domain.user import EmailAddress


class Purpose(StrEnum):
    """What the token in a link is good for. One for another purpose is no token at all."""

    VERIFY_EMAIL = "verify-email"
    CHANGE_EMAIL = "change-email"
    RESET_PASSWORD = "password-reset"  # noqa: S105 - a purpose, no secret
    INVITATION = "invitation"


PAGES: Final = {
    Purpose.VERIFY_EMAIL: "verify-email",
    Purpose.CHANGE_EMAIL: "confirm-email",
    Purpose.RESET_PASSWORD: "reset-password",
    Purpose.INVITATION: "invitation",
}
"""Our page for each, under `/account/`."""

PASSWORD_PURPOSES = (Purpose.RESET_PASSWORD, Purpose.INVITATION)
"""With these a password is set by somebody who is not logged in."""


@dataclass(frozen=True, slots=True)
class AccountToken:
    """A token as the store knows it: the SHA-256 of 256 random bits, never the token.

    *email* is the address that it was mailed to, and that its use proves.
    """

    digest: bytes
    purpose: Purpose
    tenant: str
    user_id: str
    email: EmailAddress
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """How long links are good, and what accounts without a confirmed address may do."""

    reset: timedelta = timedelta(minutes=30)
    verification: timedelta = timedelta(hours=24)
    invitation: timedelta = timedelta(hours=72)
    unverified_login: bool = True
    account_url: str = ""
    """The address of pages that take tokens in the place of ours; "": ours do."""
    public_url: str = ""
    """Under which address the world knows our pages; "": mails show the token by itself."""

    def life(self, purpose: Purpose) -> timedelta:
        """For how long a token is good."""
        match purpose:
            case Purpose.RESET_PASSWORD:
                return self.reset
            case Purpose.INVITATION:
                return self.invitation
            case Purpose.VERIFY_EMAIL | Purpose.CHANGE_EMAIL:
                return self.verification

    def link(self, purpose: Purpose, token: str) -> str:
        """Where the token is to be taken; "" when nobody knows where that is.

        For pages of others it stands behind the `#`, which browsers keep to themselves. Ours work
        without a script, and so must be sent it: they log no query and let no Referer out.
        """
        if self.account_url:
            return f"{self.account_url}/{purpose.value}#token={token}"
        if self.public_url:
            return f"{self.public_url}/account/{PAGES[purpose]}?token={token}"
        return ""
