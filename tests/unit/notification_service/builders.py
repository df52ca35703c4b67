"""Notifications and what surrounds them, with only the interesting part spelled out."""

from datetime import UTC, datetime, timedelta

from notification_service.application.mail_ports import SealedMail
from notification_service.application.ports import Effect
from notification_service.domain.delivery import (
    Attempt,
    ChannelName,
    DeliveryStatus,
    PendingDelivery,
)
from notification_service.domain.notification import Message, NewNotification
from notification_service.domain.recipient import Contact, Recipient

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
ALICE = Recipient("default", "alice")
BOB = Recipient("default", "bob")
MESSAGE = Message("user.welcome", "Welcome", "Hello.\nGood to see you.", b'{"user_id":"alice"}')


def later(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def contact(email: str = "alice@example.org", *, as_of: datetime = NOON) -> Contact:
    """How to reach Alice."""
    return Contact(ALICE, email, "Alice", as_of)


def notification(id_: str = "n1", recipient: Recipient = ALICE) -> NewNotification:
    """A notification that is not yet in the inbox."""
    return NewNotification(id_, recipient, MESSAGE, NOON)


def pending(id_: str = "n1", *, due_at: datetime = NOON, attempts: int = 0) -> PendingDelivery:
    """An e-mail to Alice that is still to be sent."""
    return PendingDelivery(id_, ALICE, ChannelName.EMAIL, attempts, due_at)


def sealed_mail(id_: str = "m1") -> SealedMail:
    """A mail about an account, as it is kept."""
    return SealedMail(id_, "default", b"sealed", NOON, later(1_800))


def pending_mail(id_: str = "m1", *, user_id: str = "alice") -> PendingDelivery:
    """Its delivery."""
    return PendingDelivery(id_, Recipient("default", user_id), ChannelName.MAIL, 0, NOON)


def attempt(
    id_: str,
    notification_id: str = "n1",
    *,
    recipient: Recipient = ALICE,
    status: DeliveryStatus = DeliveryStatus.DELIVERED,
    number: int = 1,
) -> Attempt:
    """An attempt to mail a notification."""
    return Attempt(
        id=id_,
        notification_id=notification_id,
        recipient=recipient,
        channel=ChannelName.EMAIL,
        target="alice@example.org",
        status=status,
        number=number,
        error="",
        attempted_at=NOON,
    )


def mailed(id_: str = "n1", *, due_at: datetime = NOON) -> Effect:
    """Alice is notified, by e-mail too."""
    return Effect(notification=notification(id_), pending=pending(id_, due_at=due_at))
