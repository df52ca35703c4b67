"""Functions that workers have declared, in SQLite: one row per version and owner."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.ports import FunctionRecord, Functions

_UP = """
CREATE TABLE functions (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    owner TEXT NOT NULL,
    input_schema BLOB NOT NULL,
    output_schema BLOB NOT NULL,
    last_seen_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, version, owner)
) STRICT, WITHOUT ROWID;
"""

MIGRATIONS = (Migration(10, "functions", _UP, "DROP TABLE functions;"),)
"""Those of functions: numbers 10 to 19."""

_COLUMNS: Final = "tenant, name, version, owner, input_schema, output_schema, last_seen_at"
_DECLARE: Final = (
    f"INSERT INTO functions ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
    " ON CONFLICT DO UPDATE SET input_schema = excluded.input_schema,"
    " output_schema = excluded.output_schema,"
    " last_seen_at = max(last_seen_at, excluded.last_seen_at)"
)
_COUNT: Final = "SELECT count(*) FROM functions WHERE tenant = ?"
_NAMES: Final = "SELECT DISTINCT name, version FROM functions WHERE tenant = ? AND owner IN ('', ?)"
_LIST: Final = (
    f"SELECT {_COLUMNS} FROM functions WHERE tenant = ?1"  # noqa: S608 - constants
    " AND (?2 IS NULL OR owner IN ('', ?2)) AND (name, version, owner) > (?3, ?4, ?5)"
    " ORDER BY name, version, owner LIMIT ?6"
)


class _TooMany(Exception):
    """Rolls the declaration back."""


class SqliteFunctions(Functions):
    """The ``Functions`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def declare(self, functions: Sequence[FunctionRecord], most: int) -> bool:
        """See the port."""
        rows = [_row_of(function) for function in functions]

        def work(db: sqlite3.Connection) -> None:
            db.executemany(_DECLARE, rows)
            for tenant in {function.tenant for function in functions}:
                (count,) = db.execute(_COUNT, (tenant,)).fetchone()
                if count > most:
                    raise _TooMany

        try:
            await self._database.write(work)
        except _TooMany:
            return False
        return True

    async def names(self, tenant: str, owner: str) -> Sequence[tuple[str, str]]:
        """See the port."""
        return await self._database.read(lambda db: db.execute(_NAMES, (tenant, owner)).fetchall())

    async def list(
        self, tenant: str, owner: str | None, limit: int, after: tuple[str, str, str] | None
    ) -> Sequence[FunctionRecord]:
        """See the port."""
        values = (tenant, owner, *(after or ("", "", "")), limit)
        rows = await self._database.read(lambda db: db.execute(_LIST, values).fetchall())
        return [_function_of(row) for row in rows]


def _row_of(function: FunctionRecord) -> Row:
    return (
        function.tenant,
        function.name,
        function.version,
        function.owner,
        function.input_schema,
        function.output_schema,
        micros(function.last_seen_at),
    )


def _function_of(row: Row) -> FunctionRecord:
    tenant, name, version, owner, input_schema, output_schema, last_seen_at = row
    return FunctionRecord(
        tenant=tenant,
        owner=owner,
        name=name,
        version=version,
        input_schema=input_schema,
        output_schema=output_schema,
        last_seen_at=moment_of(last_seen_at),
    )
