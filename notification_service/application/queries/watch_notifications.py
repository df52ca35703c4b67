"""Watching one's inbox fill."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from notification_service.application.ports import Inbox
from notification_service.domain.notification import Notification
from notification_service.domain.recipient import Recipient

_BATCH = 100


@dataclass(frozen=True, slots=True)
class WatchNotifications:
    """The notifications after a position, then live ones; None: only those from now on."""

    recipient: Recipient
    after: int | None = None


@dataclass(frozen=True, slots=True)
class WatchNotificationsHandler:
    """Answers `WatchNotifications`."""

    inbox: Inbox

    async def __call__(self, query: WatchNotifications) -> AsyncGenerator[Notification, None]:
        """Settle where to begin, then answer an endless stream: in order, each one once.

        Old and live ones alike come from the store; the bell only says when to look. So there is
        no seam between them where one could get lost.
        """
        after = query.after
        if after is None:
            after = await self.inbox.latest(query.recipient)
        return self._stream(query.recipient, after)

    async def _stream(
        self, recipient: Recipient, position: int
    ) -> AsyncGenerator[Notification, None]:
        # The bell hangs before the first look: what comes in between rings it.
        with self.inbox.listen(recipient) as bell:
            while True:
                found = await self.inbox.after(recipient, position, _BATCH)
                for notification in found:
                    yield notification
                    position = notification.position
                if len(found) < _BATCH:
                    await bell.rung()
