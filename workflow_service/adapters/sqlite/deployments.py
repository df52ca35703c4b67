"""Open executions by the definition that they are pinned to, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.application.deployment_ports import OpenCount

# Along the index of open executions. One by definition would cost every start and every end of an execution something,
# for a question that is asked before a deployment.
_OPEN: Final = (
    "FROM executions INDEXED BY executions_open WHERE ended_at IS NULL AND tenant = ?1"
    " AND (?2 IS NULL OR owner = ?2) AND namespace = ?3 AND name = ?4"
)
_COUNT: Final = (
    f"SELECT version, digest, status, COUNT(*) {_OPEN} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
)
_SOME: Final = f"SELECT execution {_OPEN} AND digest = ?5 ORDER BY execution LIMIT ?6"


class SqliteOpenOfDefinitions:
    """The ``OpenOfDefinitions`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def count(
        self, tenant: str, owner: str | None, namespace: str, name: str
    ) -> Sequence[OpenCount]:
        """See the port."""

        def work(db: sqlite3.Connection) -> list[OpenCount]:
            rows = db.execute(_COUNT, (tenant, owner, namespace, name))
            return [OpenCount(*row) for row in rows]

        return await self._database.read(work)

    async def some(
        self, tenant: str, owner: str | None, definition: tuple[str, str, str], limit: int
    ) -> Sequence[str]:
        """See the port."""

        def work(db: sqlite3.Connection) -> list[str]:
            return [row[0] for row in db.execute(_SOME, (tenant, owner, *definition, limit))]

        return await self._database.read(work)
