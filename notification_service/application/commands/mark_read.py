"""A user has read a notification."""

from dataclasses import dataclass

from chassis.clock import Clock
from notification_service.application.ports import Inbox
from notification_service.domain.errors import NotificationNotFound
from notification_service.domain.notification import Notification
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class MarkRead:
    """Note that a notification was read; noting it twice changes nothing."""

    recipient: Recipient
    notification_id: str


@dataclass(frozen=True, slots=True)
class MarkReadHandler:
    """Handles `MarkRead`."""

    inbox: Inbox
    clock: Clock

    async def __call__(self, command: MarkRead) -> Notification:
        """Do it.

        Raises:
            NotificationNotFound: absent, or somebody else's.
        """
        read = await self.inbox.mark_read(
            command.recipient, command.notification_id, self.clock.now()
        )
        if read is None:
            raise NotificationNotFound(command.notification_id)
        return read
