"""The outbox of mails on SQLite."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.bells import MailBell
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.mail import OutgoingMail
from chassis.storage.sqlite import SqliteDatabase

_DUE = """
SELECT id, tenant, sealed, due_at, expires_at FROM mail_outbox
WHERE due_at <= ? ORDER BY due_at LIMIT ?
"""


class SqliteMailOutbox:
    """The port `MailOutbox`."""

    def __init__(self, database: SqliteDatabase, bell: MailBell) -> None:
        self._database = database
        self._bell = bell

    async def add(self, mail: OutgoingMail) -> None:
        """See the port."""
        await self._database.write(lambda connection: put_mail(connection, mail))
        self._bell.ring()

    async def due(self, now: datetime, limit: int) -> Sequence[OutgoingMail]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(_DUE, (micros(now), limit)).fetchall()
        )
        return [
            OutgoingMail(mail_id, tenant, sealed, moment(due_at), moment(expires_at))
            for mail_id, tenant, sealed, due_at, expires_at in rows
        ]

    async def postpone(self, mail_id: str, due_at: datetime) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE mail_outbox SET due_at = ? WHERE id = ?", (micros(due_at), mail_id)
            )
        )

    async def done(self, mail_id: str) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM mail_outbox WHERE id = ?", (mail_id,)
            )
        )

    async def wait(self, *, seconds: float) -> None:
        """See the port."""
        await self._bell.heard(seconds)


def put_mail(connection: sqlite3.Connection, mail: OutgoingMail) -> None:
    """Keep *mail* within the transaction of *connection*; ring afterwards."""
    connection.execute(
        "INSERT INTO mail_outbox VALUES (?, ?, ?, ?, ?)",
        (mail.id, mail.tenant, mail.sealed, micros(mail.due_at), micros(mail.expires_at)),
    )
