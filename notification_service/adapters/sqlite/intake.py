"""Events taking effect, once."""

import sqlite3
from dataclasses import dataclass

from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.sqlite import rows
from notification_service.adapters.sqlite.bells import Bells, EventBell
from notification_service.adapters.sqlite.statements import insert_attempt
from notification_service.application.ports import Effect, EventKey
from notification_service.domain.delivery import PendingDelivery
from notification_service.domain.notification import NewNotification
from notification_service.domain.recipient import Contact


@dataclass(frozen=True, slots=True)
class SqliteIntake:
    """Implements `Intake`."""

    database: SqliteDatabase
    bells: Bells
    work: EventBell

    async def settle(self, event: EventKey, effect: Effect) -> bool:
        """See `Intake.settle`."""
        fresh = await self.database.write(lambda connection: _settle(connection, event, effect))
        # Also for an event that came again: its first hearing may have been cancelled after the
        # commit and before this line, and a bell may ring for nothing.
        if effect.notification is not None:
            self.bells.ring(effect.notification.recipient)
            self.work.ring()
        return fresh


def _settle(connection: sqlite3.Connection, event: EventKey, effect: Effect) -> bool:
    if not _remember(connection, event):
        return False
    if effect.contact is not None:
        _put_contact(connection, effect.contact)
    if effect.notification is not None:
        _put_notification(connection, effect.notification)
    if effect.attempt is not None:
        insert_attempt(connection, effect.attempt)
    if effect.pending is not None:
        _put_pending(connection, effect.pending)
    return True


def _remember(connection: sqlite3.Connection, event: EventKey) -> bool:
    inserted = connection.execute(
        "INSERT INTO settled_events (source, id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (event.source, event.id),
    )
    return inserted.rowcount == 1


def _put_contact(connection: sqlite3.Connection, contact: Contact) -> None:
    connection.execute(
        f"INSERT INTO contacts ({rows.CONTACT}) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 -- constants
        " ON CONFLICT (tenant, user_id) DO UPDATE"
        " SET email = excluded.email, name = excluded.name, as_of = excluded.as_of"
        " WHERE excluded.as_of >= contacts.as_of",
        rows.contact_row(contact),
    )


def _put_notification(connection: sqlite3.Connection, new: NewNotification) -> None:
    who, what = new.recipient, new.message
    connection.execute(
        "INSERT INTO notifications"
        " (tenant, user_id, position, id, type, title, body, data, created_at)"
        " SELECT ?1, ?2, coalesce(max(position), 0) + 1, ?3, ?4, ?5, ?6, ?7, ?8"
        " FROM notifications WHERE tenant = ?1 AND user_id = ?2",
        (
            who.tenant,
            who.user_id,
            new.id,
            what.type,
            what.title,
            what.body,
            what.data,
            rows.stamp(new.created_at),
        ),
    )


def _put_pending(connection: sqlite3.Connection, pending: PendingDelivery) -> None:
    connection.execute(
        f"INSERT INTO delivery_queue ({rows.PENDING}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 -- constants
        rows.pending_row(pending),
    )
