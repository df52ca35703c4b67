"""Rows of the tables as what they stand for, and back; pure functions."""

from typing import Any

from notification_service.adapters.times import moment_of, stamp
from notification_service.application.ports import LoggedAttempt
from notification_service.domain.delivery import (
    Attempt,
    ChannelName,
    DeliveryStatus,
    PendingDelivery,
)
from notification_service.domain.notification import Message, NewNotification, Notification
from notification_service.domain.recipient import Contact, Recipient

Row = tuple[Any, ...]
"""What sqlite3 returns; the columns below say what is in it."""

NOTIFICATION = "tenant, user_id, position, id, type, title, body, data, created_at, read_at"
ATTEMPT = (
    "position, id, tenant, user_id, notification_id, channel, target, status, number, error,"
    " attempted_at"
)
PENDING = "notification_id, channel, tenant, user_id, attempts, due_at"
CONTACT = "tenant, user_id, email, name, as_of"
INTO_QUEUE = f"INSERT INTO delivery_queue ({PENDING})"


def notification_of(row: Row) -> Notification:
    """From the columns NOTIFICATION."""
    tenant, user_id, position, id_, type_, title, body, data, created_at, read_at = row
    return Notification(
        id=id_,
        recipient=Recipient(tenant, user_id),
        message=Message(type_, title, body, data),
        created_at=moment_of(created_at),
        position=position,
        read_at=None if read_at is None else moment_of(read_at),
    )


def attempt_of(row: Row) -> LoggedAttempt:
    """From the columns ATTEMPT."""
    position, id_, tenant, user_id, notification_id, *rest = row
    channel, target, status, number, error, attempted_at = rest
    attempt = Attempt(
        id=id_,
        notification_id=notification_id,
        recipient=Recipient(tenant, user_id),
        channel=ChannelName(channel),
        target=target,
        status=DeliveryStatus(status),
        number=number,
        error=error,
        attempted_at=moment_of(attempted_at),
    )
    return LoggedAttempt(position, attempt)


def notification_row(new: NewNotification, position: int) -> Row:
    """To the columns of a new row, at *position* of its recipient's inbox."""
    who, what = new.recipient, new.message
    created_at = stamp(new.created_at)
    return (
        who.tenant,
        who.user_id,
        position,
        new.id,
        what.type,
        what.title,
        what.body,
        what.data,
        created_at,
    )


def attempt_row(attempt: Attempt) -> Row:
    """To the columns ATTEMPT, without the position."""
    return (
        attempt.id,
        attempt.recipient.tenant,
        attempt.recipient.user_id,
        attempt.notification_id,
        attempt.channel.value,
        attempt.target,
        attempt.status.value,
        attempt.number,
        attempt.error,
        stamp(attempt.attempted_at),
    )


def pending_of(row: Row) -> PendingDelivery:
    """From the columns PENDING."""
    notification_id, channel, tenant, user_id, attempts, due_at = row
    return PendingDelivery(
        notification_id=notification_id,
        recipient=Recipient(tenant, user_id),
        channel=ChannelName(channel),
        attempts=attempts,
        due_at=moment_of(due_at),
    )


def pending_row(pending: PendingDelivery) -> Row:
    """To the columns PENDING."""
    return (
        pending.notification_id,
        pending.channel.value,
        pending.recipient.tenant,
        pending.recipient.user_id,
        pending.attempts,
        stamp(pending.due_at),
    )


def contact_of(row: Row) -> Contact:
    """From the columns CONTACT."""
    tenant, user_id, email, name, as_of = row
    return Contact(Recipient(tenant, user_id), email, name, moment_of(as_of))


def contact_row(contact: Contact) -> Row:
    """To the columns CONTACT."""
    recipient = contact.recipient
    as_of = stamp(contact.as_of)
    return (recipient.tenant, recipient.user_id, contact.email, contact.name, as_of)
