"""Executions as lists show them, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial
from typing import Final, TypeAlias

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import OF_SCHEDULE, maybe_micros
from workflow_service.adapters.cursors import ExecutionPlace, execution_cursor, execution_place
from workflow_service.adapters.payloads import Fetch
from workflow_service.adapters.sqlite.payloads import fetching
from workflow_service.adapters.sqlite.rows import (
    SUMMARY_COLUMNS,
    Fetching,
    Row,
    refers,
    size_of,
    summary_of,
)
from workflow_service.application.ports import ExecutionFilter, Page, Summary

PAGE_BYTES: Final = 2 * 1024 * 1024
"""How many bytes of inputs and outputs a page may have; it then has fewer items than were asked for."""

_FROM: Final = "FROM executions e JOIN contents c ON c.execution = e.execution"

_Condition: TypeAlias = tuple[str, tuple[int | str, ...]]


class SqliteSummaries:
    """The ``Summaries`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """Return one."""
        statement = f"SELECT {SUMMARY_COLUMNS} {_FROM} WHERE e.execution = ? AND e.tenant = ?"

        def found(db: sqlite3.Connection) -> Row | None:
            row: Row | None = db.execute(statement, (execution, tenant)).fetchone()
            return row

        def whole(db: sqlite3.Connection) -> Summary | None:
            row = found(db)
            return None if row is None else summary_of(row, partial(fetching, db))

        row = await self._database.glance(found)
        if row is None:
            return None
        if refers(row):
            return await self._database.read(whole)
        return summary_of(row, _no_references)

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """Return those that match, newest first.

        Raises:
            Invalid: *cursor* is not one that a list returned.
        """
        after = None if cursor is None else execution_place(cursor)
        conditions = list(_conditions(wanted, after))
        statement = (
            f"SELECT {SUMMARY_COLUMNS} {_FROM} WHERE {' AND '.join(c for c, _ in conditions)}"
            " ORDER BY e.created_at DESC, e.execution DESC LIMIT ?"
        )
        values = [value for _, group in conditions for value in group]
        return await self._database.read(
            lambda db: _page(
                db.execute(statement, (*values, limit + 1)), limit, partial(fetching, db)
            )
        )


def _no_references(execution: str) -> Fetch:
    raise LookupError(f"nothing was taken out of the summary of {execution}")


def _conditions(wanted: ExecutionFilter, after: ExecutionPlace | None) -> Iterator[_Condition]:
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
    if wanted.parent is not None:
        yield "e.parent = ?", (wanted.parent,)
    if wanted.schedule is not None:
        yield "e.parent = ?", (f"{OF_SCHEDULE}{wanted.schedule}",)
    if wanted.tag is not None:
        yield (
            "e.execution IN (SELECT execution FROM execution_tags WHERE tenant = ? AND tag = ?)",
            (wanted.tenant, wanted.tag),
        )
    yield from _times(wanted, after)


def _times(wanted: ExecutionFilter, after: ExecutionPlace | None) -> Iterator[_Condition]:
    begin, end = maybe_micros(wanted.created_from), maybe_micros(wanted.created_to)
    if begin is not None:
        yield "e.created_at >= ?", (begin,)
    if end is not None:
        yield "e.created_at <= ?", (end,)
    if after is not None:
        yield "(e.created_at, e.execution) < (?, ?)", after


def _page(rows: Iterator[Row], limit: int, fetching: Fetching) -> Page[Summary]:
    items: list[Summary] = []
    total = 0
    for row in rows:
        total += size_of(row)
        if len(items) == limit or (items and total > PAGE_BYTES):
            return Page(tuple(items), execution_cursor(items[-1]))
        items.append(summary_of(row, fetching))
    return Page(tuple(items))
