"""Events from outside, in SQLite: kept in the same log as histories, so that one relay publishes both."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.columns import micros
from workflow_service.adapters.sqlite.intake import entry_of, put
from workflow_service.application.ports import InboundEvent

INBOUND_VERSION: Final = 1
"""Format of events from outside in the log."""

_LOG: Final = (
    "INSERT INTO commits (execution, first_sequence, last_sequence, at, version, events)"
    " VALUES (NULL, 1, ?, ?, ?, ?)"
)


class SqliteInboundEvents:
    """The ``InboundEvents`` port on a ``SqliteDatabase``."""

    def __init__(
        self, database: SqliteDatabase, *, bell: LogBell, intake: IntakeBell | None = None
    ) -> None:
        self._database = database
        self._bell = bell
        self._intake = intake or IntakeBell()

    async def add(
        self, events: Sequence[InboundEvent], at: datetime, *, announce: bool = True
    ) -> int:
        """Keep those not seen before and return how many that were."""
        entries = [entry_of(event, at) for event in events]

        def work(db: sqlite3.Connection) -> int:
            new = [entry[1] for entry in entries if put(db, entry) is not None]
            if new and announce:
                row = (len(new), micros(at), INBOUND_VERSION, b"[" + b",".join(new) + b"]")
                db.execute(_LOG, row)
            return len(new)

        accepted = await self._database.write(work)
        if accepted:
            self._bell.ring()
            self._intake.ring()
        return accepted
