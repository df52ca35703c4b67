"""How the tables of a SQLite store came to be, step by step."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import CannotStart
from chassis.storage.unfinished import refuse_half_file

_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: *up* makes it, *down* takes it back. Both are SQL, any number of statements."""

    version: int
    name: str
    up: str
    down: str


def migrate(
    connection: sqlite3.Connection, migrations: Sequence[Migration], *, half: bool = False
) -> None:
    """Apply, in order, each of *migrations* that the store does not have; each is one transaction.

    Args:
        connection: to the store.
        migrations: all steps that the program knows.
        half: whether the store may be half of a copy, as it is for whoever goes on with that.

    Raises:
        CannotStart: the store has steps that are not among *migrations*: newer code wrote it. Or it is half of a copy.
        ValueError: versions are not ascending.
        sqlite3.Error: a step failed; it was undone, those before it stand.
    """
    _check_order(migrations)
    if not half:
        refuse_half_file(connection)
    connection.execute(_LEDGER)
    applied = _applied(connection)
    unknown = applied - {migration.version for migration in migrations}
    if unknown:
        raise CannotStart(newer_store(max(unknown)))
    for migration in migrations:
        if migration.version not in applied:
            _step(connection, migration.up, _RECORD, (migration.version, migration.name))


def newer_store(version: int) -> str:
    """What an operator is told about a store that has a step which this program does not know."""
    return (
        f"the store was written by a newer version of this program (it has migration "
        f"{version}); install that version again, or restore a backup"
    )


def revert(
    connection: sqlite3.Connection, migrations: Sequence[Migration], *, to_version: int
) -> None:
    """Take back, newest first, every applied step above *to_version*; 0 takes back all."""
    applied = _applied(connection)
    for migration in sorted(migrations, key=lambda each: each.version, reverse=True):
        if migration.version > to_version and migration.version in applied:
            _step(connection, migration.down, _FORGET, (migration.version,))


_RECORD = "INSERT INTO schema_migrations (version, name) VALUES (?, ?)"
_FORGET = "DELETE FROM schema_migrations WHERE version = ?"


def _step(
    connection: sqlite3.Connection, script: str, note: str, values: tuple[int | str, ...]
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(note, values)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _statements(script: str) -> Iterator[str]:
    """The statements of *script*. `executescript` would commit before it begins."""
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        # Not yet complete inside a trigger's body, a string or a comment.
        if sqlite3.complete_statement(statement):
            if statement.strip(" \t\r\n;"):
                yield statement
            statement = ""
    if statement.strip(" \t\r\n;"):
        yield statement


def _applied(connection: sqlite3.Connection) -> set[int]:
    return set(applied_at(connection))


def applied_at(connection: sqlite3.Connection) -> dict[int, datetime]:
    """When each step was applied, by version; none in a store that is new."""
    ledger = "SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'"
    if connection.execute(ledger).fetchone() is None:
        return {}
    rows = connection.execute("SELECT version, applied_at FROM schema_migrations")
    return {version: datetime.fromisoformat(moment) for version, moment in rows}


def _check_order(migrations: Sequence[Migration]) -> None:
    versions = [migration.version for migration in migrations]
    if versions != sorted(set(versions)) or any(version < 1 for version in versions):
        raise ValueError(f"migrations are not in ascending order from 1: {versions}")
