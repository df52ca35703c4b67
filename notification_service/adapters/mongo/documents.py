"""Documents as what they stand for, and back; pure functions."""

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document
from notification_service.adapters.times import moment_of, stamp
from notification_service.application.mail_ports import SealedMail
from notification_service.application.ports import LoggedAttempt
from notification_service.domain.delivery import (
    Attempt,
    ChannelName,
    DeliveryStatus,
    PendingDelivery,
)
from notification_service.domain.notification import Message, NewNotification, Notification
from notification_service.domain.recipient import Contact, Recipient


def whose(recipient: Recipient) -> Document:
    """The members by which what is *recipient*'s is found."""
    return {"tenant": recipient.tenant, "user": recipient.user_id}


def key_of_recipient(recipient: Recipient) -> str:
    """Key of what a recipient has one of."""
    return key_of(recipient.tenant, recipient.user_id)


def key_of_delivery(notification_id: str, channel: ChannelName) -> str:
    """Key of a delivery in the queue."""
    return key_of(notification_id, channel.value)


def notification_document(new: NewNotification, position: int) -> Document:
    """A new notification at *position* of its recipient's inbox."""
    what = new.message
    return whose(new.recipient) | {
        "_id": new.id,
        "position": position,
        "type": what.type,
        "title": what.title,
        "body": what.body,
        "data": what.data,
        "created_at": stamp(new.created_at),
        "unread": 1,
    }


def notification_of(document: Document) -> Notification:
    """The inverse."""
    read_at = document.get("read_at")
    return Notification(
        id=document["_id"],
        recipient=_recipient_of(document),
        message=Message(
            document["type"], document["title"], document["body"], bytes(document["data"])
        ),
        created_at=moment_of(document["created_at"]),
        position=document["position"],
        read_at=None if read_at is None else moment_of(read_at),
    )


def attempt_document(attempt: Attempt, position: int) -> Document:
    """An attempt at *position* of its recipient's log."""
    return whose(attempt.recipient) | {
        "_id": attempt.id,
        "position": position,
        "notification": attempt.notification_id,
        "channel": attempt.channel.value,
        "target": attempt.target,
        "status": attempt.status.value,
        "number": attempt.number,
        "error": attempt.error,
        "attempted_at": stamp(attempt.attempted_at),
    }


def attempt_of(document: Document) -> LoggedAttempt:
    """The inverse."""
    attempt = Attempt(
        id=document["_id"],
        notification_id=document["notification"],
        recipient=_recipient_of(document),
        channel=ChannelName(document["channel"]),
        target=document["target"],
        status=DeliveryStatus(document["status"]),
        number=document["number"],
        error=document["error"],
        attempted_at=moment_of(document["attempted_at"]),
    )
    return LoggedAttempt(document["position"], attempt)


def pending_document(pending: PendingDelivery) -> Document:
    """A delivery that nobody has claimed."""
    return whose(pending.recipient) | {
        "_id": key_of_delivery(pending.notification_id, pending.channel),
        "notification": pending.notification_id,
        "channel": pending.channel.value,
        "attempts": pending.attempts,
        "due_at": stamp(pending.due_at),
    }


def pending_of(document: Document) -> PendingDelivery:
    """The inverse."""
    return PendingDelivery(
        notification_id=document["notification"],
        recipient=_recipient_of(document),
        channel=ChannelName(document["channel"]),
        attempts=document["attempts"],
        due_at=moment_of(document["due_at"]),
    )


def contact_document(contact: Contact) -> Document:
    """How to reach somebody."""
    return whose(contact.recipient) | {
        "email": contact.email,
        "name": contact.name,
        "as_of": stamp(contact.as_of),
    }


def contact_of(document: Document) -> Contact:
    """The inverse."""
    as_of = moment_of(document["as_of"])
    return Contact(_recipient_of(document), document["email"], document["name"], as_of)


def mail_document(mail: SealedMail) -> Document:
    """A mail that is still to be sent."""
    return {
        "_id": mail.id,
        "tenant": mail.tenant,
        "sealed": mail.sealed,
        "written_at": stamp(mail.written_at),
        "expires_at": stamp(mail.expires_at),
    }


def mail_of(document: Document) -> SealedMail:
    """The inverse."""
    times = moment_of(document["written_at"]), moment_of(document["expires_at"])
    return SealedMail(document["_id"], document["tenant"], bytes(document["sealed"]), *times)


def _recipient_of(document: Document) -> Recipient:
    return Recipient(document["tenant"], document["user"])
