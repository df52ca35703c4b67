"""What the outside gives up, as dead letters, and back."""

from datetime import datetime
from typing import Final

import msgspec

from chassis.messaging.port import CloudEvent
from chassis.messaging.port import DeadLetter as GivenUp
from notification_service.domain.dead_letter import (
    LONGEST_REASON,
    DeadLetter,
    DeadLetterKind,
    dead_letter_id,
)
from notification_service.domain.delivery import Attempt, ChannelName, PendingDelivery
from notification_service.domain.recipient import Recipient
from notification_service.domain.text import one_line

NOBODYS: Final = "default"
"""The tenant whose administrators see what names none, or cannot be believed."""
_encode = msgspec.json.Encoder().encode


class DeliveryPayload(msgspec.Struct, frozen=True):
    """What a delivery was."""

    notification_id: str
    tenant: str
    user_id: str
    channel: str
    attempts: int


def of_event(given_up: GivenUp, at: datetime) -> DeadLetter:
    """What the bus gave up."""
    event = given_up.event
    parts = [given_up.subscription, event.source, event.id]
    if not given_up.trusted:
        # Nobody may hide behind, or overwrite, what is honest by taking its name.
        parts.append(event.extensions.get("digest", "?"))
    tenant = event.extensions.get("tenant") if given_up.trusted else None
    return DeadLetter(
        id=dead_letter_id(*parts),
        tenant=tenant or NOBODYS,
        kind=DeadLetterKind.EVENT,
        service=_service_of(given_up),
        subscription=given_up.subscription,
        type=event.type[:500],
        about=event.id[:500],
        reason=one_line(given_up.reason, LONGEST_REASON),
        payload=_encode(event),
        redrivable=given_up.trusted and bool(given_up.subscription),
        at=at,
    )


def of_delivery(pending: PendingDelivery, attempt: Attempt) -> DeadLetter:
    """A delivery after its last attempt."""
    recipient = pending.recipient
    payload = DeliveryPayload(
        pending.notification_id,
        recipient.tenant,
        recipient.user_id,
        pending.channel.value,
        attempt.number,
    )
    return DeadLetter(
        id=dead_letter_id("delivery", pending.notification_id, pending.channel.value),
        tenant=recipient.tenant,
        kind=DeadLetterKind.DELIVERY,
        service="notification",
        subscription=pending.channel.value,
        type=f"delivery.{pending.channel.value}",
        about=pending.notification_id,
        reason=one_line(attempt.error, LONGEST_REASON),
        payload=_encode(payload),
        # A mail about an account is wiped after its last attempt, and useless soon after.
        redrivable=pending.channel is not ChannelName.MAIL,
        at=attempt.attempted_at,
    )


def event_in(letter: DeadLetter) -> CloudEvent:
    """The event of a letter about one."""
    return msgspec.json.decode(letter.payload, type=CloudEvent)


def delivery_in(letter: DeadLetter, due_at: datetime) -> PendingDelivery:
    """The delivery of a letter about one, as if it had never been attempted."""
    told = msgspec.json.decode(letter.payload, type=DeliveryPayload)
    return PendingDelivery(
        notification_id=told.notification_id,
        recipient=Recipient(told.tenant, told.user_id),
        channel=ChannelName(told.channel),
        attempts=0,
        due_at=due_at,
    )


def _service_of(given_up: GivenUp) -> str:
    """The first word of a subscription, or of a path such as /autoworker/auth."""
    if given_up.subscription:
        return given_up.subscription.partition("-")[0]
    return given_up.event.source.rpartition("/")[2][:100] or "unknown"
