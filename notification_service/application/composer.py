"""Turning a message for somebody into everything that follows from it."""

from dataclasses import dataclass

from chassis.clock import Clock
from chassis.ids import Ids
from notification_service.application.ports import Effect, PreferenceStore
from notification_service.domain.delivery import (
    Attempt,
    ChannelName,
    DeliveryStatus,
    PendingDelivery,
)
from notification_service.domain.notification import Message, NewNotification
from notification_service.domain.recipient import Contact, Recipient


@dataclass(frozen=True, slots=True)
class Composer:
    """Decides by which ways a message goes; *email* says whether mail can be sent at all."""

    clock: Clock
    ids: Ids
    preferences: PreferenceStore
    email: bool

    async def effect(
        self,
        recipient: Recipient,
        message: Message,
        *,
        contact: Contact | None = None,
        by_mail: bool = True,
    ) -> Effect:
        """The inbox always, an e-mail if it is possible and wanted, unless it is sent otherwise."""
        now = self.clock.now()
        wanted = by_mail and self.email and (await self.preferences.get(recipient)).email
        notification = NewNotification(self.ids.new(), recipient, message, now)
        return Effect(
            contact=contact,
            notification=notification,
            attempt=self._into_the_inbox(notification),
            pending=_by_email(notification) if wanted else None,
        )

    def _into_the_inbox(self, notification: NewNotification) -> Attempt:
        return Attempt(
            id=self.ids.new(),
            notification_id=notification.id,
            recipient=notification.recipient,
            channel=ChannelName.INBOX,
            target=notification.recipient.user_id,
            status=DeliveryStatus.DELIVERED,
            number=1,
            error="",
            attempted_at=notification.created_at,
        )


def _by_email(notification: NewNotification) -> PendingDelivery:
    return PendingDelivery(
        notification_id=notification.id,
        recipient=notification.recipient,
        channel=ChannelName.EMAIL,
        attempts=0,
        due_at=notification.created_at,
    )
