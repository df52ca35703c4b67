"""How people can be reached."""

import sqlite3
from dataclasses import dataclass

from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.sqlite import rows
from notification_service.domain.recipient import Contact, Recipient

_SELECT = f"SELECT {rows.CONTACT} FROM contacts WHERE tenant = ? AND user_id = ?"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class SqliteContacts:
    """Implements `Contacts`."""

    database: SqliteDatabase

    async def get(self, recipient: Recipient) -> Contact | None:
        """See `Contacts.get`."""

        def get(connection: sqlite3.Connection) -> Contact | None:
            found = connection.execute(_SELECT, (recipient.tenant, recipient.user_id)).fetchone()
            return rows.contact_of(found) if found else None

        return await self.database.read(get)
