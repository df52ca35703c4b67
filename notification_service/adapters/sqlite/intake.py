"""Events taking effect, once."""

import asyncio
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from chassis.storage.many import insert_rows
from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.bells import Bells, EventBell
from notification_service.adapters.sqlite import rows
from notification_service.adapters.sqlite.statements import insert_attempts
from notification_service.application.ports import Effect, EventKey
from notification_service.domain.notification import NewNotification
from notification_service.domain.recipient import Contact, Recipient

Settling: TypeAlias = tuple[EventKey, Effect]


@dataclass(frozen=True, slots=True)
class SqliteIntake:
    """Implements `Intake`."""

    database: SqliteDatabase
    bells: Bells
    work: EventBell

    async def settle(self, event: EventKey, effect: Effect) -> bool:
        """See `Intake.settle`."""
        return (await self.settle_all([(event, effect)]))[0]

    async def settle_all(self, settling: Sequence[Settling]) -> Sequence[bool]:
        """See `Intake.settle_all`."""
        if not settling:
            return ()
        try:
            fresh = await self.database.write(_Settlings(settling))
        except _HeardBefore:
            return await asyncio.gather(*(self.settle(*each) for each in settling))
        # Also for an event that came again: its first hearing may have been cancelled after the
        # commit and before this line, and a bell may ring for nothing.
        new = [effect.notification for _, effect in settling if effect.notification is not None]
        for recipient in {notification.recipient for notification in new}:
            self.bells.ring(recipient)
        if new or any(effect.pending is not None for _, effect in settling):
            self.work.ring()
        return fresh


class _HeardBefore(Exception):
    """One of several events came again: each is to be looked at by itself."""


@dataclass(frozen=True, slots=True)
class _Settlings:
    """Events taking effect: a `SharedWork`, whose result is which of the events were new.

    It raises _HeardBefore, and is undone, when one of several was not.
    """

    settling: Sequence[Settling]

    def __call__(self, connection: sqlite3.Connection) -> Sequence[bool]:
        try:
            return self.together(connection, (self,))[0]
        except _HeardBefore:
            if len(self.settling) > 1:
                raise
            return (False,)

    @staticmethod
    def together(
        connection: sqlite3.Connection, works: Sequence["_Settlings"]
    ) -> Sequence[Sequence[bool]]:
        settling = [each for work in works for each in work.settling]
        events = [(event.source, event.id) for event, _ in settling]
        if insert_rows(connection, _EVENTS, events, "ON CONFLICT DO NOTHING") < len(events):
            raise _HeardBefore
        effects = [effect for _, effect in settling]
        for effect in effects:
            if effect.erased is not None:
                _erase(connection, effect.erased)
            if effect.contact is not None:
                _put_contact(connection, effect.contact)
        _put_notifications(connection, [e.notification for e in effects if e.notification])
        insert_attempts(connection, [e.attempt for e in effects if e.attempt])
        pending = [rows.pending_row(e.pending) for e in effects if e.pending]
        insert_rows(connection, rows.INTO_QUEUE, pending)
        return [[True] * len(work.settling) for work in works]


_EVENTS: Final = "INSERT INTO settled_events (source, id)"
_NOTIFICATIONS: Final = (
    "INSERT INTO notifications (tenant, user_id, position, id, type, title, body, data, created_at)"
)


def _put_contact(connection: sqlite3.Connection, contact: Contact) -> None:
    connection.execute(
        f"INSERT INTO contacts ({rows.CONTACT}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 -- constants
        " ON CONFLICT (tenant, user_id) DO UPDATE"
        " SET email = excluded.email, name = excluded.name, as_of = excluded.as_of"
        " WHERE excluded.as_of >= contacts.as_of",
        rows.contact_row(contact),
    )


_MAILS_OF: Final = (
    "DELETE FROM mails WHERE id IN (SELECT notification_id FROM delivery_queue"
    " WHERE tenant = ? AND user_id = ? AND channel = 'mail')"
)
_PERSONAL: Final = (
    "delivery_queue",
    "delivery_attempts",
    "notifications",
    "preferences",
    "contacts",
)


def _erase(connection: sqlite3.Connection, user: Recipient) -> None:
    who = (user.tenant, user.user_id)
    connection.execute(_MAILS_OF, who)
    for table in _PERSONAL:
        connection.execute(f"DELETE FROM {table} WHERE tenant = ? AND user_id = ?", who)  # noqa: S608


def _put_notifications(
    connection: sqlite3.Connection, notifications: Sequence[NewNotification]
) -> None:
    """Append each to the inbox of its recipient, in their order."""
    places = {new.recipient: 0 for new in notifications}
    for recipient in places:
        places[recipient] = _last_position(connection, recipient)
    inserted: list[rows.Row] = []
    for new in notifications:
        places[new.recipient] += 1
        inserted.append(rows.notification_row(new, places[new.recipient]))
    insert_rows(connection, _NOTIFICATIONS, inserted)


def _last_position(connection: sqlite3.Connection, recipient: Recipient) -> int:
    found = connection.execute(
        "SELECT coalesce(max(position), 0) FROM notifications WHERE tenant = ? AND user_id = ?",
        (recipient.tenant, recipient.user_id),
    ).fetchone()
    return int(found[0])
