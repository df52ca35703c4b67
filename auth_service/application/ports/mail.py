"""Mail about accounts, on its way to notification_service."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol


class MailWay(StrEnum):
    """How mail leaves the house."""

    NONE = "none"
    """No mail server is configured: mails wait for one until they expire."""
    SMTP = "smtp"
    FILES = "files"
    """Into a folder, for trying things out; only in INSECURE_DEV mode."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail as it was asked for. *user_id* is empty for somebody who is no user.

    What it says (`template`) is in notification_service; *facts* may be secret.
    """

    id: str
    tenant: str
    user_id: str
    recipient: str
    template: str
    facts: Mapping[str, str] = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A letter as the outbox has it: sealed."""

    id: str
    tenant: str
    sealed: bytes = field(repr=False)
    due_at: datetime
    expires_at: datetime


class Mail(Protocol):
    """Mail to people about their accounts."""

    async def send(
        self,
        tenant: str,
        recipient: str,
        template: str,
        facts: Mapping[str, str],
        *,
        user_id: str = "",
        good_for: timedelta = timedelta(days=3),
    ) -> None:
        """Take charge of a mail; it is durable when this returns, and sent when that is possible.

        Args:
            tenant: whose user it is about.
            recipient: the address.
            template: one of notification_service's templates of mails about accounts.
            facts: what the template needs.
            user_id: whom it is about.
            good_for: after this it is not sent any more.
        """
        ...


class MailOutbox(Protocol):
    """Mails that notification_service does not have yet. They outlive the process."""

    async def add(self, mail: OutgoingMail) -> None:
        """Keep *mail*, durably."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[OutgoingMail]:
        """Up to *limit* mails to be passed on now, the longest due first."""
        ...

    async def postpone(self, mail_id: str, due_at: datetime) -> None:
        """Try again at *due_at*."""
        ...

    async def done(self, mail_id: str) -> None:
        """Forget the mail: somebody else has it, or nobody can use it."""
        ...

    async def wait(self, *, seconds: float) -> None:
        """Until there may be one more; at most *seconds*, and perhaps for nothing."""
        ...


class MailCarrier(Protocol):
    """Who takes letters: notification_service."""

    async def carry(self, letter: Letter) -> MailWay:
        """Return once the letter is durably in its charge; the same again changes nothing.

        Raises:
            chassis.errors.Invalid: it can never be sent.
            chassis.errors.ServiceError: it is not there, or not well; try again.
        """
        ...

    async def way(self) -> MailWay:
        """Whether mail leaves the house at all.

        Raises:
            chassis.errors.ServiceError: who knows is not there.
        """
        ...
