"""What more than one of the adapters here writes, inside a transaction of theirs."""

import sqlite3
from collections.abc import Sequence
from typing import Final

from chassis.storage.many import insert_rows
from notification_service.adapters.sqlite import rows
from notification_service.domain.delivery import Attempt

_ATTEMPTS: Final = (
    "INSERT INTO delivery_attempts (id, tenant, user_id, notification_id, channel, target,"
    " status, number, error, attempted_at)"
)


def insert_attempts(connection: sqlite3.Connection, attempts: Sequence[Attempt]) -> None:
    """Append *attempts* to the log."""
    insert_rows(connection, _ATTEMPTS, [rows.attempt_row(attempt) for attempt in attempts])
