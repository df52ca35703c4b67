"""Executions as lists show them, in SQLite."""

from __future__ import annotations

import base64
import binascii
import sqlite3
from collections.abc import Iterator
from typing import Annotated, Final, TypeAlias

import msgspec

from chassis.errors import FieldProblem, Invalid
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.sqlite.rows import (
    SUMMARY_COLUMNS,
    Row,
    maybe_micros,
    micros,
    size_of,
    summary_of,
)
from workflow_service.application.ports import ExecutionFilter, Page, Summary

PAGE_BYTES: Final = 2 * 1024 * 1024
"""How many bytes of inputs and outputs a page may have; it then has fewer items than were asked for."""

_FROM: Final = "FROM executions e JOIN contents c ON c.execution = e.execution"

_Place: TypeAlias = tuple[int, str]
"""Of an execution in the list: its time of making and its id."""

# A column holds 64 bits, and the first of them is the sign.
_places = msgspec.json.Decoder(tuple[Annotated[int, msgspec.Meta(ge=0, lt=2**62)], str])
_Condition: TypeAlias = tuple[str, tuple[int | str, ...]]


class SqliteSummaries:
    """The ``Summaries`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """Return one."""
        statement = f"SELECT {SUMMARY_COLUMNS} {_FROM} WHERE e.execution = ? AND e.tenant = ?"

        def work(db: sqlite3.Connection) -> Summary | None:
            row = db.execute(statement, (execution, tenant)).fetchone()
            return None if row is None else summary_of(row)

        return await self._database.read(work)

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """Return those that match, newest first.

        Raises:
            Invalid: *cursor* is not one that a list returned.
        """
        after = None if cursor is None else _place_of(cursor)
        conditions = list(_conditions(wanted, after))
        statement = (
            f"SELECT {SUMMARY_COLUMNS} {_FROM} WHERE {' AND '.join(c for c, _ in conditions)}"
            " ORDER BY e.created_at DESC, e.execution DESC LIMIT ?"
        )
        values = [value for _, group in conditions for value in group]
        return await self._database.read(
            lambda db: _page(db.execute(statement, (*values, limit + 1)), limit)
        )


def _conditions(wanted: ExecutionFilter, after: _Place | None) -> Iterator[_Condition]:
    yield "e.tenant = ?", (wanted.tenant,)
    for column, value in (
        ("owner", wanted.owner),
        ("namespace", wanted.namespace),
        ("name", wanted.name),
        ("version", wanted.version),
    ):
        if value is not None:
            yield f"e.{column} = ?", (value,)
    if wanted.statuses:
        yield f"e.status IN ({', '.join('?' * len(wanted.statuses))})", wanted.statuses
    if wanted.tag is not None:
        yield (
            "e.execution IN (SELECT execution FROM execution_tags WHERE tenant = ? AND tag = ?)",
            (wanted.tenant, wanted.tag),
        )
    yield from _times(wanted, after)


def _times(wanted: ExecutionFilter, after: _Place | None) -> Iterator[_Condition]:
    begin, end = maybe_micros(wanted.created_from), maybe_micros(wanted.created_to)
    if begin is not None:
        yield "e.created_at >= ?", (begin,)
    if end is not None:
        yield "e.created_at <= ?", (end,)
    if after is not None:
        yield "(e.created_at, e.execution) < (?, ?)", after


def _page(rows: Iterator[Row], limit: int) -> Page[Summary]:
    items: list[Summary] = []
    total = 0
    for row in rows:
        total += size_of(row)
        if len(items) == limit or (items and total > PAGE_BYTES):
            return Page(tuple(items), _cursor_of(items[-1]))
        items.append(summary_of(row))
    return Page(tuple(items))


def _cursor_of(summary: Summary) -> str:
    place = msgspec.json.encode((micros(summary.created_at), summary.execution))
    return base64.urlsafe_b64encode(place).decode().rstrip("=")


def _place_of(cursor: str) -> _Place:
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        created_at, execution = _places.decode(place)
    except (binascii.Error, ValueError, msgspec.DecodeError) as exc:
        problem = FieldProblem("cursor", "is not a cursor that a list returned")
        raise Invalid("the cursor cannot be used", details=[problem]) from exc
    return created_at, execution
