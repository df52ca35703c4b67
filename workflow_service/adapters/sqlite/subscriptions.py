"""Who waits for which events, in SQLite: changed in the commits of those who wait."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.event_ports import Waiting
from workflow_service.domain.execution.listening import Shape

# From one shape to the next along the primary key, however many subscriptions each of them has.
_NEXT_SHAPE: Final = (
    "SELECT shape FROM subscriptions WHERE tenant = ? AND type = ? AND shape > ?"
    " ORDER BY shape LIMIT 1"
)
_WAITING: Final = (
    "SELECT execution, frame, number FROM subscriptions"
    " WHERE tenant = ? AND type IN (?, '') AND shape = ? AND key IN (?, '') AND since < ?"
    " AND (execution, frame) > (?, ?) ORDER BY execution, frame LIMIT ?"
)
_COUNT: Final = "SELECT COUNT(*) FROM (SELECT 1 FROM subscriptions WHERE tenant = ? LIMIT ?)"


class SqliteSubscriptions:
    """The ``Subscriptions`` port on a ``SqliteDatabase`` with the tables of ``schema.MIGRATIONS``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def shapes(self, tenant: str, type: str) -> Sequence[Shape]:
        """Return the filters by which somebody waits for events of *type*, or of any."""

        def work(db: sqlite3.Connection) -> list[str]:
            kinds = (type, "") if type else ("",)
            return [shape for kind in kinds for shape in _shapes(db, tenant, kind)]

        return [Shape.parse(text) for text in await self._database.read(work)]

    async def waiting(
        self,
        tenant: str,
        type: str,
        shape: Shape,
        key: str,
        position: int,
        after: Waiting | None,
        limit: int,
    ) -> Sequence[Waiting]:
        """Return who waits by a filter, found by *key* or by none."""
        place = ("", "") if after is None else (after.execution, after.frame)
        values = (tenant, type, str(shape), key, position, *place, limit)

        def work(db: sqlite3.Connection) -> list[Row]:
            return db.execute(_WAITING, values).fetchall()

        return [Waiting(*row) for row in await self._database.read(work)]

    async def count(self, tenant: str, limit: int) -> int:
        """Return how many subscriptions *tenant* has, *limit* at the most."""

        def work(db: sqlite3.Connection) -> int:
            return int(db.execute(_COUNT, (tenant, limit)).fetchone()[0])

        return await self._database.read(work)


def _shapes(db: sqlite3.Connection, tenant: str, kind: str) -> Iterator[str]:
    shape = ""
    while (found := db.execute(_NEXT_SHAPE, (tenant, kind, shape)).fetchone()) is not None:
        shape = found[0]
        yield shape
