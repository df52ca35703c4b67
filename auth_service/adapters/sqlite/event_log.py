"""The outbox: events written with what they tell of, read by the relay in the same order."""

import sqlite3
from collections.abc import Sequence

import msgspec

from auth_service.adapters.bells import Tide
from auth_service.adapters.event_codec import cloud_event
from auth_service.domain.events import Event
from chassis.messaging.port import CloudEvent
from chassis.storage.sqlite import SqliteDatabase

_POLL = 1.0

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(CloudEvent)


def announce(connection: sqlite3.Connection, event: Event) -> int:
    """Put *event* into the outbox within the transaction of *connection*; its position."""
    encoded = _encoder.encode(cloud_event(event))
    cursor = connection.execute("INSERT INTO outbox (event) VALUES (?)", (encoded,))
    return cursor.lastrowid or 0


class SqliteEventLog:
    """The outbox as the relay reads it. A position is an event's place in the order of commits."""

    def __init__(self, database: SqliteDatabase, tide: Tide) -> None:
        self._database = database
        self._tide = tide

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """The events behind position *after*, oldest first, at most *limit*."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT position, event FROM outbox WHERE position > ? ORDER BY position LIMIT ?",
                (after, limit),
            ).fetchall()
        )
        return [(position, _decoder.decode(event)) for position, event in rows]

    async def load_checkpoint(self, name: str) -> int:
        """How far the reader called *name* has come; 0 before its first event."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT position FROM outbox_checkpoints WHERE reader = ?", (name,)
            ).fetchone()
        )
        return row[0] if row else 0

    async def save_checkpoint(self, name: str, position: int) -> None:
        """Note that *name* has passed on everything up to *position*."""
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO outbox_checkpoints (reader, position) VALUES (?, ?) "
                "ON CONFLICT (reader) DO UPDATE SET position = excluded.position",
                (name, position),
            )
        )

    async def wait_for_log(self, after: int) -> None:
        """Until there may be events behind *after*; returns now and then for nothing."""
        await self._tide.above(after, seconds=_POLL)

    async def purge(self) -> None:
        """Drop the events that every reader has passed on."""
        await self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM outbox "
                "WHERE position <= (SELECT min(position) FROM outbox_checkpoints)"
            )
        )
