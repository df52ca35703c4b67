"""Signing keys on SQLite; their private halves are sealed, each for its own row."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from auth_service.adapters.key_seal import KeySeal, prove_all
from auth_service.adapters.times import micros, moment
from auth_service.domain.signing_key import KeyUse, SigningKey
from chassis.storage.sqlite import SqliteDatabase

_Row = tuple[str, str, str, bytes, int, int, int]

_PEM = b"-----BEGIN"

_PURGE = """
DELETE FROM signing_keys WHERE expires_at <= ? AND EXISTS (
    SELECT 1 FROM signing_keys AS successor
    WHERE successor.use = signing_keys.use AND successor.follows = signing_keys.kid
)
"""


class SqliteSigningKeys:
    """The port `SigningKeys`."""

    def __init__(self, database: SqliteDatabase, seal: KeySeal) -> None:
        self._database = database
        self._seal = seal

    async def add(self, key: SigningKey) -> bool:
        """See the port."""

        def work(connection: sqlite3.Connection) -> bool:
            cursor = connection.execute(
                "INSERT INTO signing_keys VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (use, follows) DO NOTHING",
                _row(self._seal.sealed(key)),
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
        return tuple(self._seal.opened(_key(row)) for row in rows)

    async def purge(self, now: datetime) -> None:
        """See the port."""
        await self._database.write(lambda connection: connection.execute(_PURGE, (micros(now),)))

    def seal_plain(self, connection: sqlite3.Connection) -> int:
        """Seal what an earlier version kept in the clear; how many those were."""
        rows: list[_Row] = connection.execute("SELECT * FROM signing_keys").fetchall()
        plain = [_key(row) for row in rows if row[3].startswith(_PEM)]
        for key in plain:
            connection.execute(
                "UPDATE signing_keys SET private_pem = ? WHERE kid = ?",
                (self._seal.sealed(key).private_pem, key.kid),
            )
        return len(plain)


def _row(key: SigningKey) -> _Row:
    times = (micros(key.activates_at), micros(key.retires_at), micros(key.expires_at))
    return (key.kid, key.use.value, key.follows, key.private_pem, *times)


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


async def seal_plain_keys(
    database: SqliteDatabase, path: Path | None, keys: SqliteSigningKeys
) -> None:
    """Seal what an earlier version kept in the clear, leave nothing of it in the file, and try every key.

    Raises:
        CannotStart: a key cannot be opened.
    """

    def work(connection: sqlite3.Connection) -> int:
        connection.execute("PRAGMA secure_delete=ON")
        return keys.seal_plain(connection)

    if await database.write(work) and path is not None:
        await asyncio.to_thread(_fold_log, path)
    await prove_all(keys)


def _fold_log(path: Path) -> None:
    """Take the log, which has the old pages, into the file, where they are overwritten."""
    with closing(sqlite3.connect(path, timeout=10.0)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
