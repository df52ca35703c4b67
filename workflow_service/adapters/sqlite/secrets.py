"""Secrets and the keys of tenants in SQLite: nothing here can be read without the operator's key."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.vault.errors import TooManySecrets
from workflow_service.application.vault.ports import (
    SecretId,
    SecretRecord,
    SecretRecords,
    TenantKeys,
    VersionMark,
    WrappedKey,
)

_UP = """
CREATE TABLE tenant_keys (
    tenant TEXT NOT NULL PRIMARY KEY,
    wrapped_by TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE secrets (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL,
    sealed BLOB NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant, name, owner)
) STRICT, WITHOUT ROWID;
CREATE TABLE secret_versions (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    owner TEXT NOT NULL,
    version INTEGER NOT NULL,
    tag BLOB NOT NULL,
    PRIMARY KEY (tenant, name, owner)
) STRICT, WITHOUT ROWID;
"""
_DOWN = "DROP TABLE secret_versions; DROP TABLE secrets; DROP TABLE tenant_keys;"

MIGRATIONS = (Migration(30, "secrets", _UP, _DOWN),)
"""Those of secrets: numbers 30 to 34."""

_KEY: Final = "SELECT tenant, wrapped_by, sealed FROM tenant_keys WHERE tenant = ?"
_ADD_KEY: Final = (
    "INSERT INTO tenant_keys (tenant, wrapped_by, sealed) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
_REWRAP: Final = "UPDATE tenant_keys SET wrapped_by = ?, sealed = ? WHERE tenant = ? AND sealed = ?"
_OTHERS: Final = "SELECT tenant, wrapped_by, sealed FROM tenant_keys WHERE wrapped_by != ? LIMIT ?"

_COLUMNS: Final = "tenant, owner, name, version, sealed, updated_at, updated_by"
_PUT: Final = (
    f"INSERT OR REPLACE INTO secrets ({_COLUMNS})"  # noqa: S608 - constants
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_DELETE: Final = "DELETE FROM secrets WHERE tenant = ? AND owner = ? AND name = ?"
_VERSION: Final = "SELECT version FROM secret_versions WHERE tenant = ? AND owner = ? AND name = ?"
_MARK: Final = (
    "INSERT OR REPLACE INTO secret_versions (tenant, owner, name, version, tag)"
    " VALUES (?, ?, ?, ?, ?)"
)
_COUNT: Final = "SELECT count(*) FROM secrets WHERE tenant = ?"
_FIND: Final = (
    "SELECT s.tenant, s.owner, s.name, s.version, s.sealed, s.updated_at, s.updated_by,"
    " v.version, v.tag FROM secrets s LEFT JOIN secret_versions v USING (tenant, name, owner)"
    " WHERE tenant = ? AND owner IN ('', ?) AND name = ?"
)
_LIST: Final = (
    f"SELECT {_COLUMNS} FROM secrets WHERE tenant = ?1 AND owner IN ('', ?2)"  # noqa: S608 - constants
    " AND (name > ?3 OR name = ?3 AND owner < ?4) ORDER BY name, owner DESC LIMIT ?5"
)


class SqliteTenantKeys(TenantKeys):
    """The ``TenantKeys`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def get(self, tenant: str) -> WrappedKey | None:
        """See the port."""
        row = await self._database.read(lambda db: db.execute(_KEY, (tenant,)).fetchone())
        return None if row is None else WrappedKey(*row)

    async def add(self, key: WrappedKey) -> WrappedKey:
        """See the port."""

        def work(db: sqlite3.Connection) -> WrappedKey:
            db.execute(_ADD_KEY, (key.tenant, key.wrapped_by, key.sealed))
            return WrappedKey(*db.execute(_KEY, (key.tenant,)).fetchone())

        return await self._database.write(work)

    async def rewrap(self, old: WrappedKey, new: WrappedKey) -> None:
        """See the port."""
        values = (new.wrapped_by, new.sealed, old.tenant, old.sealed)
        await self._database.write(lambda db: db.execute(_REWRAP, values).rowcount)

    async def wrapped_by_others(self, current: str, limit: int) -> Sequence[WrappedKey]:
        """See the port."""
        rows = await self._database.read(
            lambda db: db.execute(_OTHERS, (current, limit)).fetchall()
        )
        return [WrappedKey(*row) for row in rows]


class SqliteSecrets(SecretRecords):
    """The ``SecretRecords`` port on a ``SqliteDatabase``."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def find(
        self, tenant: str, owner: str, names: Sequence[str]
    ) -> Sequence[tuple[SecretRecord, VersionMark | None]]:
        """See the port."""

        def work(db: sqlite3.Connection) -> list[Row]:
            return [
                row for name in names for row in db.execute(_FIND, (tenant, owner, name)).fetchall()
            ]

        rows = await self._database.read(work)
        return [(_record_of(row[:7]), _mark_of(row[7:])) for row in rows]

    async def last_version(self, id: SecretId) -> int:
        """See the port."""
        return await self._database.read(lambda db: _last(db, id))

    async def put(self, record: SecretRecord, mark: VersionMark, *, most: int) -> bool:
        """See the port."""
        row = _row_of(record)

        def work(db: sqlite3.Connection) -> bool:
            if not _is_next(db, record.id, mark):
                return False
            db.execute(_PUT, row)
            (count,) = db.execute(_COUNT, (record.id.tenant,)).fetchone()
            if count > most:
                raise TooManySecrets(most)
            return True

        return await self._database.write(work)

    async def delete(self, id: SecretId, mark: VersionMark) -> bool:
        """See the port."""

        def work(db: sqlite3.Connection) -> bool:
            if not _is_next(db, id, mark):
                return False
            return db.execute(_DELETE, (id.tenant, id.owner, id.name)).rowcount > 0

        return await self._database.write(work)

    async def list(
        self, tenant: str, owner: str, limit: int, after: tuple[str, str] | None
    ) -> Sequence[SecretRecord]:
        """See the port."""
        values = (tenant, owner, *(after or ("", "")), limit)
        rows = await self._database.read(lambda db: db.execute(_LIST, values).fetchall())
        return [_record_of(row) for row in rows]


def _is_next(db: sqlite3.Connection, id: SecretId, mark: VersionMark) -> bool:
    """Set the mark if its version follows on the last one."""
    if _last(db, id) + 1 != mark.version:
        return False
    db.execute(_MARK, (id.tenant, id.owner, id.name, mark.version, mark.tag))
    return True


def _last(db: sqlite3.Connection, id: SecretId) -> int:
    row = db.execute(_VERSION, (id.tenant, id.owner, id.name)).fetchone()
    return 0 if row is None else int(row[0])


def _row_of(record: SecretRecord) -> Row:
    id = record.id
    return (
        id.tenant,
        id.owner,
        id.name,
        record.version,
        record.sealed,
        micros(record.updated_at),
        record.updated_by,
    )


def _record_of(row: Row) -> SecretRecord:
    tenant, owner, name, version, sealed, updated_at, updated_by = row
    return SecretRecord(
        id=SecretId(tenant, owner, name),
        version=version,
        sealed=sealed,
        updated_at=moment_of(updated_at),
        updated_by=updated_by,
    )


def _mark_of(row: Row) -> VersionMark | None:
    return None if row[0] is None else VersionMark(*row)
