"""Everybody's notifications."""

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.bells import Bells
from notification_service.adapters.sqlite import rows
from notification_service.adapters.times import stamp
from notification_service.application.ports import Bell
from notification_service.domain.notification import Notification
from notification_service.domain.recipient import Recipient

# Positions start at 1 and grow by one: no inbox gets as far as this.
_END = 2**63 - 1

_SELECT = f"SELECT {rows.NOTIFICATION} FROM notifications WHERE tenant = ? AND user_id = ?"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class SqliteInbox:
    """Implements `Inbox`."""

    database: SqliteDatabase
    bells: Bells

    async def get(self, recipient: Recipient, notification_id: str) -> Notification | None:
        """See `Inbox.get`."""
        return await self.database.read(
            lambda connection: _get(connection, recipient, notification_id)
        )

    async def page(
        self, recipient: Recipient, *, before: int | None, limit: int, unread_only: bool
    ) -> Sequence[Notification]:
        """See `Inbox.page`."""
        below = _END if before is None else before
        unread = " AND read_at IS NULL" if unread_only else ""
        query = f"{_SELECT} AND position < ?{unread} ORDER BY position DESC LIMIT ?"
        values = (recipient.tenant, recipient.user_id, below, limit)
        return await self.database.read(lambda connection: _select(connection, query, values))

    async def after(
        self, recipient: Recipient, position: int, limit: int
    ) -> Sequence[Notification]:
        """See `Inbox.after`."""
        query = f"{_SELECT} AND position > ? ORDER BY position LIMIT ?"
        values = (recipient.tenant, recipient.user_id, position, limit)
        return await self.database.read(lambda connection: _select(connection, query, values))

    async def latest(self, recipient: Recipient) -> int:
        """See `Inbox.latest`."""
        newest = await self.page(recipient, before=None, limit=1, unread_only=False)
        return newest[0].position if newest else 0

    async def mark_read(
        self, recipient: Recipient, notification_id: str, at: datetime
    ) -> Notification | None:
        """See `Inbox.mark_read`."""

        def mark(connection: sqlite3.Connection) -> Notification | None:
            connection.execute(
                "UPDATE notifications SET read_at = ?"
                " WHERE tenant = ? AND user_id = ? AND id = ? AND read_at IS NULL",
                (stamp(at), recipient.tenant, recipient.user_id, notification_id),
            )
            return _get(connection, recipient, notification_id)

        return await self.database.write(mark)

    def listen(self, recipient: Recipient) -> AbstractContextManager[Bell]:
        """See `Inbox.listen`."""
        return self.bells.hang(recipient)


def _get(
    connection: sqlite3.Connection, recipient: Recipient, notification_id: str
) -> Notification | None:
    values = (recipient.tenant, recipient.user_id, notification_id)
    found = _select(connection, f"{_SELECT} AND id = ?", values)
    return found[0] if found else None


def _select(
    connection: sqlite3.Connection, query: str, values: tuple[str | int, ...]
) -> list[Notification]:
    return [rows.notification_of(row) for row in connection.execute(query, values)]
