"""Signing keys on SQLite. The file's mode (0600) protects the private halves."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.sqlite.rows import micros, moment
from auth_service.domain.signing_key import KeyUse, SigningKey
from chassis.storage.sqlite import SqliteDatabase

_Row = tuple[str, str, str, bytes, int, int, int]

_PURGE = """
DELETE FROM signing_keys WHERE expires_at <= ? AND EXISTS (
    SELECT 1 FROM signing_keys AS successor
    WHERE successor.use = signing_keys.use AND successor.follows = signing_keys.kid
)
"""


class SqliteSigningKeys:
    """The port `SigningKeys`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def add(self, key: SigningKey) -> bool:
        """See the port."""

        def work(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "INSERT INTO signing_keys VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (use, follows) DO NOTHING",
                _row(key),
            )
            return cursor.rowcount == 1

        return await self._database.write(work)

    async def all(self) -> Sequence[SigningKey]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT * FROM signing_keys ORDER BY activates_at, kid"
            ).fetchall()
        )
        return tuple(_key(row) for row in rows)

    async def purge(self, now: datetime) -> None:
        """See the port."""
        await self._database.write(lambda connection: connection.execute(_PURGE, (micros(now),)))


def _row(key: SigningKey) -> _Row:
    return (
        key.kid,
        key.use.value,
        key.follows,
        key.private_pem,
        micros(key.activates_at),
        micros(key.retires_at),
        micros(key.expires_at),
    )


def _key(row: _Row) -> SigningKey:
    kid, use, follows, private_pem, activates_at, retires_at, expires_at = row
    return SigningKey(
        kid=kid,
        use=KeyUse(use),
        follows=follows,
        private_pem=private_pem,
        activates_at=moment(activates_at),
        retires_at=moment(retires_at),
        expires_at=moment(expires_at),
    )
