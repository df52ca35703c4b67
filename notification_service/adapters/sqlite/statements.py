"""What more than one of the adapters here writes, inside a transaction of theirs."""

import sqlite3

from notification_service.adapters.sqlite import rows
from notification_service.domain.delivery import Attempt


def insert_attempt(connection: sqlite3.Connection, attempt: Attempt) -> None:
    """Append *attempt* to the log."""
    connection.execute(
        "INSERT INTO delivery_attempts (id, tenant, user_id, notification_id, channel, target,"
        " status, number, error, attempted_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows.attempt_row(attempt),
    )
