"""Mails about accounts, sealed, until they are sent."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from chassis.storage.many import insert_rows
from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.bells import EventBell
from notification_service.adapters.sqlite import rows
from notification_service.adapters.times import moment_of, stamp
from notification_service.application.mail_ports import KEPT, USELESS, SealedMail
from notification_service.domain.delivery import PendingDelivery


@dataclass(frozen=True, slots=True)
class SqliteMails:
    """Implements `Mails`; *work* rings when there is one more."""

    database: SqliteDatabase
    work: EventBell

    async def accept(self, mail: SealedMail, pending: PendingDelivery) -> bool:
        """See `Mails.accept`."""

        def accept(connection: sqlite3.Connection) -> bool:
            _forget_old(connection, mail)
            times = stamp(mail.written_at), stamp(mail.expires_at)
            values = (mail.id, mail.tenant, mail.sealed, *times)
            added = insert_rows(connection, _MAILS, [values], "ON CONFLICT DO NOTHING")
            if added:
                insert_rows(connection, rows.INTO_QUEUE, [rows.pending_row(pending)])
            return added == 1

        fresh = await self.database.write(accept)
        self.work.ring()
        return fresh

    async def find(self, mail_id: str) -> SealedMail | None:
        """See `Mails.find`."""

        def find(connection: sqlite3.Connection) -> SealedMail | None:
            row = connection.execute(_FIND, (mail_id,)).fetchone()
            if row is None:
                return None
            id_, tenant, sealed, written_at, expires_at = row
            times = moment_of(written_at), moment_of(expires_at)
            return SealedMail(id_, tenant, sealed, *times)

        return await self.database.read(find)


_MAILS: Final = "INSERT INTO mails (id, tenant, sealed, written_at, expires_at)"
_USELESS: Final = "SELECT id FROM mails WHERE sealed IS NOT NULL AND expires_at < ?"
_FIND: Final = (
    "SELECT id, tenant, sealed, written_at, expires_at FROM mails"
    " WHERE id = ? AND sealed IS NOT NULL"
)


def wipe(connection: sqlite3.Connection, mail_id: str) -> None:
    """Forget what the mail says; that it was there stays known, so that it is not sent again."""
    connection.execute("UPDATE mails SET sealed = NULL WHERE id = ?", (mail_id,))


def _forget_old(connection: sqlite3.Connection, mail: SealedMail) -> None:
    before = stamp(mail.written_at - KEPT)
    connection.execute("DELETE FROM mails WHERE sealed IS NULL AND written_at < ?", (before,))
    # What nobody could send in time, for want of a mail server, is not kept for ever.
    ended = (stamp(mail.written_at - USELESS),)
    connection.execute(
        f"DELETE FROM delivery_queue WHERE channel = 'mail' AND notification_id IN ({_USELESS})",  # noqa: S608
        ended,
    )
    connection.execute(f"DELETE FROM mails WHERE id IN ({_USELESS})", ended)  # noqa: S608
