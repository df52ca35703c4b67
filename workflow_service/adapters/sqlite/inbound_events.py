"""Events from outside, in SQLite: kept in the same log as histories, so that one relay publishes both."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.sqlite.bell import LogBell
from workflow_service.adapters.sqlite.rows import micros
from workflow_service.application.ports import InboundEvent

INBOUND_VERSION: Final = 1
"""Format of events from outside in the log."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[InboundEvent])

_REMEMBER: Final = (
    "INSERT INTO inbound_events (tenant, source, id, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_LOG: Final = (
    "INSERT INTO commits (execution, first_sequence, last_sequence, at, version, events)"
    " VALUES (NULL, 1, ?, ?, ?, ?)"
)


class SqliteInboundEvents:
    """The ``InboundEvents`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase, *, bell: LogBell) -> None:
        self._database = database
        self._bell = bell

    async def add(self, events: Sequence[InboundEvent], at: datetime) -> int:
        """Keep those not seen before and return how many that were."""
        encoded = [
            ((event.tenant, event.source, event.id, micros(at)), _encoder.encode(event))
            for event in events
        ]

        def work(db: sqlite3.Connection) -> int:
            new = [data for key, data in encoded if db.execute(_REMEMBER, key).rowcount == 1]
            if new:
                row = (len(new), micros(at), INBOUND_VERSION, b"[" + b",".join(new) + b"]")
                db.execute(_LOG, row)
            return len(new)

        accepted = await self._database.write(work)
        if accepted:
            self._bell.ring()
        return accepted


def decode_inbound(data: bytes) -> list[InboundEvent]:
    """Return the events that a row of the log has."""
    return _decoder.decode(data)
