"""One transaction over what a change touches: its rows, the outbox, and the feed of revocations."""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from auth_service.adapters.bells import MailBell, Tide
from auth_service.adapters.sqlite.event_log import announce
from auth_service.adapters.sqlite.mail_outbox import put_mail
from auth_service.adapters.times import micros
from auth_service.application.ports import Change
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.events import Event
from chassis.storage.companions import take_companion
from chassis.storage.sqlite import SqliteDatabase

T = TypeVar("T")

_TELL = """
INSERT OR REPLACE INTO revocation_feed (kind, subject, forget_at) VALUES (?, ?, ?)
"""


class Entry:
    """A transaction while it is made: the connection, and what is told beside the rows."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.announced = 0
        self.revoked = 0
        self.mailed = False

    def announce(self, event: Event) -> None:
        """Put *event* into the outbox."""
        self.announced = announce(self.connection, event)

    def revoke(self, change: Change) -> None:
        """Put *change* on the feed of revocations."""
        values = (change.kind.value, change.subject, micros(change.forget_at))
        self.revoked = self.connection.execute(_TELL, values).lastrowid or 0

    def post(self, mail: OutgoingMail) -> None:
        """Put *mail* into the outbox of mails."""
        put_mail(self.connection, mail)
        self.mailed = True


class Ledger:
    """Writes the store; whoever waits for an outbox or the feed goes on after the commit."""

    def __init__(
        self, database: SqliteDatabase, *, announced: Tide, revoked: Tide, mailed: MailBell
    ) -> None:
        self.database = database
        self._announced = announced
        self._revoked = revoked
        self._mailed = mailed

    async def write(self, work: Callable[[Entry], T]) -> T:
        """Do *work* in one transaction, all or nothing, and return its result once it is durable."""
        companion = take_companion()

        def entered(connection: sqlite3.Connection) -> tuple[T, Entry]:
            entry = Entry(connection)
            result = work(entry)
            if companion is not None:
                companion.follow(connection, result)
            return result, entry

        result, entry = await self.database.write(entered)
        self._announced.rise(entry.announced)
        self._revoked.rise(entry.revoked)
        if entry.mailed:
            self._mailed.ring()
        return result
