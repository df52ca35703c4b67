"""Many rows in few statements.

Python lets go of its lock in every step of a statement and has to get it back from a busy event loop, which
costs more than the step. One statement for many rows does so once.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

Row = tuple[Any, ...]

_SIZES: Final = (64, 16, 4, 1)
"""Rows of a statement: few different ones, so that they stay prepared."""


def insert_rows(
    connection: sqlite3.Connection, into: str, rows: Sequence[Row], conflict: str = ""
) -> int:
    """Insert *rows* and return how many were inserted.

    Args:
        connection: within a transaction.
        into: the statement up to and without ``VALUES``.
        rows: all equally long.
        conflict: what follows the values.
    """
    return write_rows(connection, f"{into} VALUES", rows, conflict)


def write_rows(
    connection: sqlite3.Connection, before: str, rows: Sequence[Row], after: str = ""
) -> int:
    """Run a statement with the values of *rows* between *before* and *after*; return how many rows it changed."""
    changed = 0
    for part in _parts(rows):
        statement = _statement(before, len(part), len(part[0]), after)
        changed += connection.execute(statement, tuple(chain.from_iterable(part))).rowcount
    return changed


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    start = 0
    for size in _SIZES:
        while len(rows) - start >= size:
            yield rows[start : start + size]
            start += size


@lru_cache(maxsize=256)
def _statement(before: str, rows: int, columns: int, after: str) -> str:
    row = f"({', '.join('?' * columns)})"
    return f"{before} {', '.join([row] * rows)} {after}"
