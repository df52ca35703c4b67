"""Published definitions in SQLite: one row per version, written once."""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable
from typing import Final

from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.adapters.cursors import definition_cursor, definition_place
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.application.ports import Definitions, Page, StoredDefinition
from workflow_service.domain.semver import precedence

PAGE_BYTES: Final = 2 * 1024 * 1024
"""A page ends early when its documents would have more bytes than this together."""

_UP = """
CREATE TABLE definitions (
    tenant TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    precedence TEXT NOT NULL, -- sorts as versions rank: see domain/semver.py
    digest TEXT NOT NULL,
    document BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    title TEXT NOT NULL,
    summary TEXT NOT NULL,
    PRIMARY KEY (tenant, namespace, name, version)
) STRICT;
CREATE INDEX definitions_by_rank
    ON definitions (tenant, namespace, name, precedence DESC, version DESC);
CREATE INDEX definitions_by_digest ON definitions (tenant, digest);
"""
_DOWN = "DROP TABLE definitions;"

_PINNED_UP = "ALTER TABLE definitions ADD COLUMN pinned BLOB NOT NULL DEFAULT x'';"
_PINNED_DOWN = "ALTER TABLE definitions DROP COLUMN pinned;"

MIGRATIONS = (
    Migration(100, "definitions", _UP, _DOWN),
    Migration(101, "pinned", _PINNED_UP, _PINNED_DOWN),
)
"""Those of definitions: numbers 100 to 199."""

_COLUMNS: Final = (
    "tenant, namespace, name, version, digest, document, created_at, created_by, title, summary,"
    " pinned"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM definitions WHERE tenant = ?"  # noqa: S608 - constants
_EXACTLY: Final = f"{_SELECT} AND namespace = ? AND name = ? AND version = ?"
_RANKED: Final = "ORDER BY namespace, name, precedence DESC, version DESC LIMIT ?"
_INSERT: Final = (
    f"INSERT INTO definitions ({_COLUMNS}, precedence)"  # noqa: S608 - constants
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)


_KEPT: Final = 256
_LARGEST_KEPT: Final = 64 * 1024
"""How many definitions are kept in memory, and the bytes of the largest of them."""


class SqliteDefinitions(Definitions):
    """The ``Definitions`` port on a ``SqliteDatabase``.

    A version once published never changes, so those that were asked for lately are not read again.
    """

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._kept: OrderedDict[tuple[str, str, str, str], StoredDefinition] = OrderedDict()

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        """See the port."""
        row = _row_of(definition)

        def work(db: sqlite3.Connection) -> StoredDefinition:
            if db.execute(_INSERT, row).rowcount == 1:
                return definition
            return _definition_of(db.execute(_EXACTLY, row[:4]).fetchone())

        return await self._database.write(work)

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        """See the port."""
        place = (tenant, namespace, name, version)
        kept = self._kept.get(place)
        if kept is not None:
            self._kept.move_to_end(place)
            return kept
        found = await self._first(_EXACTLY, place)
        if found is not None and len(found.document) <= _LARGEST_KEPT:
            self._kept[place] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

    async def newest(self, tenant: str, namespace: str, name: str) -> StoredDefinition | None:
        """See the port."""
        statement = f"{_SELECT} AND namespace = ? AND name = ? {_RANKED}"
        return await self._first(statement, (tenant, namespace, name, 1))

    async def by_digest(self, tenant: str, digest: str) -> StoredDefinition | None:
        """See the port."""
        return await self._first(f"{_SELECT} AND digest = ? LIMIT 1", (tenant, digest))

    async def list(
        self,
        tenant: str,
        *,
        namespace: str | None,
        name: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[StoredDefinition]:
        """See the port."""
        conditions, values = "", [tenant]
        for column, value in (("namespace", namespace), ("name", name)):
            if value is not None:
                conditions += f" AND {column} = ?"
                values.append(value)
        if cursor is not None:
            conditions += (
                " AND ((namespace, name) > (?, ?)"
                " OR (namespace, name) = (?, ?) AND (precedence, version) < (?, ?))"
            )
            namespace_, name_, version = definition_place(cursor)
            values += [namespace_, name_, namespace_, name_, precedence(version), version]
        statement = f"{_SELECT}{conditions} {_RANKED}"
        return await self._database.read(
            lambda db: _page(db.execute(statement, (*values, limit + 1)), limit)
        )

    async def _first(self, statement: str, values: Row) -> StoredDefinition | None:
        row = await self._database.read(lambda db: db.execute(statement, values).fetchone())
        return None if row is None else _definition_of(row)


def _row_of(definition: StoredDefinition) -> Row:
    return (
        definition.tenant,
        definition.namespace,
        definition.name,
        definition.version,
        definition.digest,
        definition.document,
        micros(definition.created_at),
        definition.created_by,
        definition.title,
        definition.summary,
        definition.pinned,
        precedence(definition.version),
    )


def _definition_of(row: Row) -> StoredDefinition:
    tenant, namespace, name, version, digest, document, created_at, created_by, *rest = row
    title, summary, pinned = rest
    return StoredDefinition(
        tenant=tenant,
        namespace=namespace,
        name=name,
        version=version,
        digest=digest,
        document=document,
        created_at=moment_of(created_at),
        created_by=created_by,
        title=title,
        summary=summary,
        pinned=pinned,
    )


def _page(rows: Iterable[Row], limit: int) -> Page[StoredDefinition]:
    items: list[StoredDefinition] = []
    total = 0
    for definition in map(_definition_of, rows):
        total += len(definition.document)
        if len(items) == limit or (items and total > PAGE_BYTES):
            return Page(tuple(items), definition_cursor(items[-1]))
        items.append(definition)
    return Page(tuple(items))
