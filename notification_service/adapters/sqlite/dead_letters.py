"""What was given up, in a table."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.sqlite.rows import Row
from notification_service.adapters.times import moment_of, stamp
from notification_service.domain.dead_letter import (
    DeadLetter,
    DeadLetterFilter,
    DeadLetterKind,
    KeptDeadLetter,
)

_COLUMNS: Final = (
    "id, tenant, kind, service, subscription, type, about, reason, payload, redrivable, at"
)
_SELECT: Final = f"SELECT {_COLUMNS}, position, first_at, times FROM dead_letters WHERE tenant = ?"  # noqa: S608 -- constants
_KEEP: Final = f"""
INSERT INTO dead_letters ({_COLUMNS}, first_at, times) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)
ON CONFLICT (id) DO UPDATE
SET reason = excluded.reason, payload = excluded.payload, at = excluded.at, times = times + 1
"""  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class SqliteDeadLetters:
    """Implements `DeadLetters`."""

    database: SqliteDatabase

    async def keep(self, letter: DeadLetter) -> None:
        """See `DeadLetters.keep`."""
        at = stamp(letter.at)
        values = (
            letter.id,
            letter.tenant,
            letter.kind.value,
            letter.service,
            letter.subscription,
            letter.type,
            letter.about,
            letter.reason,
            letter.payload,
            letter.redrivable,
            at,
            at,
        )
        await self.database.write(lambda connection: connection.execute(_KEEP, values).close())

    async def get(self, tenant: str, letter_id: str) -> KeptDeadLetter | None:
        """See `DeadLetters.get`."""

        def one(connection: sqlite3.Connection) -> KeptDeadLetter | None:
            row = connection.execute(f"{_SELECT} AND id = ?", (tenant, letter_id)).fetchone()
            return None if row is None else _kept(row)

        return await self.database.read(one)

    async def page(
        self, tenant: str, wanted: DeadLetterFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptDeadLetter]:
        """See `DeadLetters.page`."""
        query, values = _SELECT, [tenant]
        bounds: list[int] = []
        for column, text in (
            ("kind", wanted.kind),
            ("service", wanted.service),
            ("type", wanted.type),
        ):
            if text:
                query, values = f"{query} AND {column} = ?", [*values, text]
        for condition, moment in (("at >= ?", wanted.since), ("at < ?", wanted.until)):
            if moment is not None:
                query, bounds = f"{query} AND {condition}", [*bounds, stamp(moment)]
        query = f"{query} AND position < ? ORDER BY position DESC LIMIT ?"
        below = 2**63 - 1 if before is None else before

        def page(connection: sqlite3.Connection) -> list[KeptDeadLetter]:
            return [*map(_kept, connection.execute(query, (*values, *bounds, below, limit)))]

        return await self.database.read(page)

    async def remove(self, tenant: str, letter_id: str) -> bool:
        """See `DeadLetters.remove`."""

        def remove(connection: sqlite3.Connection) -> bool:
            statement = "DELETE FROM dead_letters WHERE tenant = ? AND id = ?"
            return connection.execute(statement, (tenant, letter_id)).rowcount > 0

        return await self.database.write(remove)

    async def count(self) -> int:
        """See `DeadLetters.count`."""

        def count(connection: sqlite3.Connection) -> int:
            (found,) = connection.execute("SELECT count(*) FROM dead_letters").fetchone()
            return int(found)

        return await self.database.read(count)


def _kept(row: Row) -> KeptDeadLetter:
    letter_id, tenant, kind, *texts, payload, redrivable, at, position, first_at, times = row
    service, subscription, type_, about, reason = texts
    letter = DeadLetter(
        id=letter_id,
        tenant=tenant,
        kind=DeadLetterKind(kind),
        service=service,
        subscription=subscription,
        type=type_,
        about=about,
        reason=reason,
        payload=payload,
        redrivable=bool(redrivable),
        at=moment_of(at),
    )
    return KeptDeadLetter(letter, position, moment_of(first_at), times)
