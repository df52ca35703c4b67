"""What people want to hear."""

import sqlite3
from dataclasses import dataclass

from chassis.storage.sqlite import SqliteDatabase
from notification_service.domain.notification import Preferences
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class SqlitePreferences:
    """Implements `PreferenceStore`."""

    database: SqliteDatabase

    async def get(self, recipient: Recipient) -> Preferences:
        """See `PreferenceStore.get`."""

        def get(connection: sqlite3.Connection) -> Preferences:
            found = connection.execute(
                "SELECT email FROM preferences WHERE tenant = ? AND user_id = ?",
                (recipient.tenant, recipient.user_id),
            ).fetchone()
            return Preferences(email=bool(found[0])) if found else Preferences()

        return await self.database.read(get)

    async def put(self, recipient: Recipient, preferences: Preferences) -> None:
        """See `PreferenceStore.put`."""

        def put(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO preferences (tenant, user_id, email) VALUES (?, ?, ?)"
                " ON CONFLICT (tenant, user_id) DO UPDATE SET email = excluded.email",
                (recipient.tenant, recipient.user_id, int(preferences.email)),
            )

        await self.database.write(put)
