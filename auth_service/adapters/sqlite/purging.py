"""Dropping what has ended."""

import sqlite3
from datetime import datetime

from auth_service.adapters.times import micros


def drop_ended(
    connection: sqlite3.Connection, ended_by: datetime, *tables: str, end: str = "expires_at"
) -> None:
    """Delete the rows of *tables* whose *end*, a column of microseconds, is not after *ended_by*."""
    for table in tables:
        connection.execute(f"DELETE FROM {table} WHERE {end} <= ?", (micros(ended_by),))  # noqa: S608 - names of ours
