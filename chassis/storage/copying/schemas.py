"""Kinds of records that are tables: what their columns are is taken from the steps that make them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing

from chassis.storage.copying.records import Kind
from chassis.storage.migrations import Migration, migrate

_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table'"
    " AND name NOT LIKE 'sqlite_%' AND name != 'schema_migrations' ORDER BY rowid"
)


def kinds_of(migrations: Sequence[Migration]) -> Mapping[str, Kind]:
    """A kind for each table that *migrations* make, called like it, keyed by its primary key."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db, migrations)
        return {name: _kind(db, name) for (name,) in db.execute(_TABLES).fetchall()}


def _kind(db: sqlite3.Connection, table: str) -> Kind:
    found = db.execute(f"PRAGMA table_info({table})").fetchall()
    keys = sorted((place, name) for _, name, *_, place in found if place)
    rest = [name for _, name, *_, place in found if not place]
    return Kind(table, (*(name for _, name in keys), *rest), len(keys))
