"""Executions that tasks of other executions run, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import partial
from typing import Final

import msgspec

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import OF_SCHEDULE
from workflow_service.adapters.sqlite.payloads import fetching
from workflow_service.adapters.sqlite.rows import SUMMARY_COLUMNS, summary_of
from workflow_service.application.children_ports import OpenChild
from workflow_service.application.ports import Summary
from workflow_service.domain.execution.origin import ParentTask

_ENDED: Final = (
    f"SELECT {SUMMARY_COLUMNS} FROM executions e JOIN contents c ON c.execution = e.execution"  # noqa: S608
    " WHERE e.ended_at IS NOT NULL AND e.execution IN "
)
_OPEN: Final = (
    "SELECT e.execution, e.tenant, e.owner, c.origin FROM executions e"  # noqa: S608 - constants
    " JOIN contents c ON c.execution = e.execution"
    " WHERE e.ended_at IS NULL AND e.parent IS NOT NULL AND e.execution > ?"
    f" AND e.parent NOT LIKE '{OF_SCHEDULE}%'"
    " ORDER BY e.execution LIMIT ?"
)
_parent = msgspec.json.Decoder(ParentTask)


class SqliteChildren:
    """The ``Children`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def ended_among(self, executions: Sequence[str]) -> Sequence[Summary]:
        """Return those of *executions* that have ended."""
        statement = f"{_ENDED} ({', '.join('?' * len(executions))})"

        def work(db: sqlite3.Connection) -> list[Summary]:
            found = db.execute(statement, tuple(executions)).fetchall()
            return [summary_of(row, partial(fetching, db)) for row in found]

        return await self._database.read(work)

    async def open_children(self, after: str, limit: int) -> Sequence[OpenChild]:
        """Return executions of tasks that have not ended, ordered by id, those above *after*."""

        def work(db: sqlite3.Connection) -> list[OpenChild]:
            rows = db.execute(_OPEN, (after, limit))
            return [
                OpenChild(execution, tenant, owner, _parent.decode(origin))
                for execution, tenant, owner, origin in rows
            ]

        return await self._database.read(work)
