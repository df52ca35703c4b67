"""Everything that this service needs from the world, on one page.

All of the storage ports raise `chassis.errors.Unavailable` when the store cannot be reached or
cannot write; nothing has then been changed.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from notification_service.domain.delivery import (
    Attempt,
    ChannelName,
    Outcome,
    PendingDelivery,
)
from notification_service.domain.identity_mail import MailWay
from notification_service.domain.notification import (
    Message,
    NewNotification,
    Notification,
    Preferences,
)
from notification_service.domain.recipient import Contact, Recipient


@dataclass(frozen=True, slots=True)
class EventKey:
    """What makes an event the same event when it comes again (CloudEvents 1.0 §3.1)."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What an event changes here, as a whole."""

    contact: Contact | None = None
    notification: NewNotification | None = None
    attempt: Attempt | None = None
    pending: PendingDelivery | None = None
    erased: Recipient | None = None
    """Who is forgotten: everything of theirs goes, before the rest of this is made true."""


class Intake(Protocol):
    """Where events take effect."""

    async def settle(self, event: EventKey, effect: Effect) -> bool:
        """Make *effect* true and remember *event*: both, durably, or neither.

        An event that was settled before changes nothing. A contact never replaces one that is
        more recent (`Contact.as_of`). The notification gets the next position of its inbox.

        Returns:
            Whether the effect was made; False: the event had been settled before.
        """
        ...

    async def settle_all(self, settling: Sequence[tuple[EventKey, Effect]]) -> Sequence[bool]:
        """Settle each, as `settle` does, for less than one after the other.

        When it raises, some may have been settled.
        """
        ...


class Bell(Protocol):
    """Rings when an inbox may have something new."""

    async def rung(self) -> None:
        """Wait until the bell has rung since the last call, or since it was hung up."""
        ...


class Inbox(Protocol):
    """Everybody's notifications."""

    async def get(self, recipient: Recipient, notification_id: str) -> Notification | None:
        """The recipient's notification; None when there is none, or it is somebody else's."""
        ...

    async def page(
        self, recipient: Recipient, *, before: int | None, limit: int, unread_only: bool
    ) -> Sequence[Notification]:
        """Up to *limit* notifications, newest first, with positions below *before*."""
        ...

    async def after(
        self, recipient: Recipient, position: int, limit: int
    ) -> Sequence[Notification]:
        """Up to *limit* notifications, oldest first, with positions above *position*."""
        ...

    async def latest(self, recipient: Recipient) -> int:
        """The position of the newest notification; 0 when there is none."""
        ...

    async def mark_read(
        self, recipient: Recipient, notification_id: str, at: datetime
    ) -> Notification | None:
        """Remember that it was read at *at*; one that was read before keeps its first time.

        Returns:
            The notification as it now is; None as in `get`.
        """
        ...

    def listen(self, recipient: Recipient) -> AbstractContextManager[Bell]:
        """A bell that rings after each notification for *recipient*, until the context ends.

        It may ring without reason, but never fails to.
        """
        ...


class Contacts(Protocol):
    """How people can be reached."""

    async def get(self, recipient: Recipient) -> Contact | None:
        """The most recent contact; None as long as none was announced."""
        ...


class PreferenceStore(Protocol):
    """What people want to hear."""

    async def get(self, recipient: Recipient) -> Preferences:
        """Their preferences; the defaults when they have never said."""
        ...

    async def put(self, recipient: Recipient, preferences: Preferences) -> None:
        """Replace their preferences."""
        ...


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """An attempt and its place in the log, which grows."""

    position: int
    attempt: Attempt


class DeliveryLog(Protocol):
    """Every attempt that was made to deliver something."""

    async def page(
        self, recipient: Recipient, *, notification_id: str | None, before: int | None, limit: int
    ) -> Sequence[LoggedAttempt]:
        """Up to *limit* attempts, newest first, with positions below *before*.

        With *notification_id*, only those of this notification.
        """
        ...


class DeliveryQueue(Protocol):
    """Deliveries still to be made; they outlive the process.

    What was claimed is nobody else's until it is settled, dropped or released, or until the
    claiming process is gone.
    """

    async def claim(self, now: datetime, limit: int) -> Sequence[PendingDelivery]:
        """Take up to *limit* deliveries that are due at *now*, the longest due first."""
        ...

    async def settle(self, attempt: Attempt, again: PendingDelivery | None) -> None:
        """Record *attempt* and end the claim: both or neither.

        With *again* the delivery stays in the queue as that; without, it is done, and a mail
        about an account is wiped.
        """
        ...

    async def drop(self, pending: PendingDelivery) -> None:
        """Remove a delivery that is no longer wanted."""
        ...

    def release(self, pending: PendingDelivery) -> None:
        """Give up a claim; harmless when it has ended."""
        ...

    async def wait(self, now: datetime, longest: float) -> None:
        """Wait until something unclaimed may be due, *longest* seconds at most.

        It returns as well when something is queued or a claim ends, and may return for nothing.
        """
        ...

    async def depth(self) -> int:
        """How many deliveries are still to be made."""
        ...


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one person; the id lets a receiver recognise a repetition."""

    notification_id: str
    message: Message
    to: Contact
    written_at: datetime


class Channel(Protocol):
    """A way out of the house."""

    @property
    def name(self) -> ChannelName:
        """What deliveries by it are recorded as."""
        ...

    async def send(self, letter: Letter) -> Outcome:
        """Hand *letter* over; failures are outcomes, not exceptions.

        A second hand-over of the same letter is recognisable by its receiver.
        """
        ...


class Chance(Protocol):
    """Randomness."""

    def fraction(self) -> float:
        """A number from [0, 1), each as likely as the next."""
        ...


class Signals(Protocol):
    """What operators see of the work."""

    def notified(self, message_type: str) -> None:
        """A notification has reached an inbox."""
        ...

    def attempted(self, attempt: Attempt) -> None:
        """A delivery was attempted."""
        ...

    def skipped(self, pending: PendingDelivery) -> None:
        """A delivery was dropped because its recipient does not want it any more."""
        ...

    def mail_accepted(self, template: str, way: MailWay) -> None:
        """A mail about an account is in our charge now."""
        ...

    def queue_depth(self, depth: int) -> None:
        """So many deliveries are still to be made."""
        ...
