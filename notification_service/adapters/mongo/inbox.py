"""Everybody's notifications."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from notification_service.adapters.bells import Bells
from notification_service.adapters.mongo.documents import notification_of, whose
from notification_service.adapters.times import stamp
from notification_service.application.ports import Bell
from notification_service.domain.notification import Notification
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class MongoInbox:
    """Implements `Inbox`."""

    database: MongoDatabase
    bells: Bells

    async def get(self, recipient: Recipient, notification_id: str) -> Notification | None:
        """See `Inbox.get`."""
        found = await self._select({"_id": notification_id, **whose(recipient)}, -1, 1)
        return found[0] if found else None

    async def page(
        self, recipient: Recipient, *, before: int | None, limit: int, unread_only: bool
    ) -> Sequence[Notification]:
        """See `Inbox.page`."""
        which = whose(recipient)
        if before is not None:
            which["position"] = {"$lt": before}
        if unread_only:
            which["unread"] = 1
        return await self._select(which, -1, limit)

    async def after(
        self, recipient: Recipient, position: int, limit: int
    ) -> Sequence[Notification]:
        """See `Inbox.after`."""
        return await self._select(whose(recipient) | {"position": {"$gt": position}}, 1, limit)

    async def latest(self, recipient: Recipient) -> int:
        """See `Inbox.latest`."""
        newest = await self._select(whose(recipient), -1, 1)
        return newest[0].position if newest else 0

    async def mark_read(
        self, recipient: Recipient, notification_id: str, at: datetime
    ) -> Notification | None:
        """See `Inbox.mark_read`."""
        which = {"_id": notification_id, **whose(recipient), "unread": 1}
        change = {"$set": {"read_at": stamp(at)}, "$unset": {"unread": ""}}
        with store_errors():
            notifications = self.database.collection("notifications")
            await notifications.update_one(which, change)
        return await self.get(recipient, notification_id)

    def listen(self, recipient: Recipient) -> AbstractContextManager[Bell]:
        """See `Inbox.listen`."""
        return self.bells.hang(recipient)

    async def _select(self, which: Document, order: int, limit: int) -> list[Notification]:
        with store_errors():
            found = self.database.collection("notifications").find(which)
            return [
                notification_of(each) async for each in found.sort("position", order).limit(limit)
            ]
