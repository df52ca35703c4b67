"""Records in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import msgspec

from chassis.errors import CannotStart
from chassis.storage import migrations as steps
from chassis.storage.copying.records import (
    BYTES,
    RECORDS,
    Cursor,
    Kind,
    Note,
    Page,
    Record,
    size_of,
)
from chassis.storage.jobs import translated
from chassis.storage.migrations import Migration
from chassis.storage.sqlite import create_file
from chassis.storage.unfinished import NOTE

_NOTE_TABLE: Final = f"""
CREATE TABLE IF NOT EXISTS {NOTE} (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL,
    note BLOB NOT NULL
) STRICT
"""
_PUT_NOTE: Final = f"INSERT OR REPLACE INTO {NOTE} (id, state, note) VALUES (1, ?, ?)"  # noqa: S608 - a constant
_HAS_NOTE: Final = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Note).decode


class Shelf(Protocol):
    """How one kind of records is kept in tables."""

    @property
    def kind(self) -> Kind:
        """Which."""
        ...

    def count(self, db: sqlite3.Connection) -> int:
        """See `Store.count`."""
        ...

    def read(self, db: sqlite3.Connection, after: Cursor) -> Page:
        """See `Store.read`."""
        ...

    def write(self, db: sqlite3.Connection, records: Sequence[Record]) -> None:
        """See `Store.write`; inside a transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Rows:
    """Records that are rows.

    Args:
        kind: with the names of the columns.
        source: what they are read from: a table or a query in brackets; the table called like the kind without it.
        write_rows: writes them; into that table without it.
    """

    kind: Kind
    source: str = ""
    write_rows: Callable[[sqlite3.Connection, Sequence[Record]], None] | None = None

    def count(self, db: sqlite3.Connection) -> int:
        """See `Shelf`."""
        return int(db.execute(f"SELECT COUNT(*) FROM {self._source}").fetchone()[0])  # noqa: S608 - constants

    def read(self, db: sqlite3.Connection, after: Cursor) -> Page:
        """See `Shelf`."""
        keys = ", ".join(self.kind.columns[: self.kind.keys])
        behind = f"WHERE ({keys}) > ({', '.join('?' * len(after))})" if after else ""
        query = (
            f"SELECT {', '.join(self.kind.columns)} FROM {self._source} {behind} ORDER BY {keys}"  # noqa: S608 - constants
        )
        records, more = some(db.execute(query, after))
        return Page(records, self.kind.key(records[-1]) if records else after, more)

    def write(self, db: sqlite3.Connection, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        write = self.write_rows or inserting(self.kind.name, self.kind.columns)
        write(db, records)

    @property
    def _source(self) -> str:
        return self.source or self.kind.name


def inserting(
    table: str, columns: Sequence[str]
) -> Callable[[sqlite3.Connection, Sequence[Record]], None]:
    """What puts rows into *table*, in the place of those that have the same key."""
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    statement = f"INSERT OR REPLACE INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - constants

    def write(db: sqlite3.Connection, records: Sequence[Record]) -> None:
        db.executemany(statement, records)

    return write


def put_sequences(db: sqlite3.Connection, records: Sequence[Record]) -> None:
    """Note the last numbers that tables have given out, of which none is given out again."""
    for name, last in records:
        db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (name,))
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (name, last))


def some(rows: Iterable[Record]) -> tuple[list[Record], bool]:
    """As many of *rows* as are read at once, and whether there may be more."""
    records: list[Record] = []
    size = 0
    for row in rows:
        records.append(row)
        size += size_of(row)
        if len(records) >= RECORDS or size > BYTES:
            return records, True
    return records, False


class TableStore:
    """A `Store` in a file that nobody else has open.

    Args:
        service: whose it is.
        db: from `opened`.
        shelves: how each kind is kept, in the order of writing.
        migrations: the steps that made the tables.
    """

    def __init__(
        self,
        service: str,
        db: sqlite3.Connection,
        shelves: Sequence[Shelf],
        migrations: Sequence[Migration],
    ) -> None:
        self.service = service
        self.kinds = [shelf.kind for shelf in shelves]
        self._db = db
        self._shelves = {shelf.kind.name: shelf for shelf in shelves}
        self._migrations = migrations

    async def count(self, kind: Kind) -> int:
        """See the port."""
        with _store_errors():
            return self._shelves[kind.name].count(self._db)

    async def read(self, kind: Kind, after: Cursor) -> Page:
        """See the port."""
        with _store_errors():
            return self._shelves[kind.name].read(self._db, after)

    async def write(self, kind: Kind, records: Sequence[Record], note: Note) -> None:
        """See the port: records and note are one transaction."""
        with _store_errors(), self._transaction():
            self._shelves[kind.name].write(self._db, records)
            self._db.execute(_PUT_NOTE, (note.state, _encode(note)))

    async def note(self) -> Note | None:
        """See the port."""
        with _store_errors():
            if self._db.execute(_HAS_NOTE, (NOTE,)).fetchone() is None:
                return None
            row = self._db.execute(f"SELECT note FROM {NOTE}").fetchone()  # noqa: S608 - a constant
        return None if row is None else _decode(row[0])

    async def put_note(self, note: Note) -> None:
        """See the port."""
        with _store_errors(), self._transaction():
            self._db.execute(_NOTE_TABLE)
            self._db.execute(_PUT_NOTE, (note.state, _encode(note)))

    async def clear(self) -> None:
        """See the port."""
        with _store_errors():
            steps.revert(self._db, self._migrations, to_version=0)
            steps.migrate(self._db, self._migrations, half=True)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


@contextmanager
def opened(
    path: Path, migrations: Sequence[Migration], *, target: bool
) -> Iterator[sqlite3.Connection]:
    """The file at *path*, for nobody else as long as the block lasts.

    Args:
        path: where.
        migrations: the steps that make its tables.
        target: whether it is made, and brought up to date; else it must be.

    Raises:
        CannotStart: somebody has it open, or it is not what it should be.
    """
    if target:
        create_file(path)
    db = sqlite3.connect(path, isolation_level=None, timeout=0.0)
    try:
        _take(db, path)
        if target:
            steps.migrate(db, migrations, half=True)
        else:
            _expect(db, path, migrations)
        yield db
    finally:
        db.close()


def _take(db: sqlite3.Connection, path: Path) -> None:
    try:
        # Before everything else: whoever has the file open keeps us from this, and from now on we keep him from it.
        db.execute("PRAGMA locking_mode=EXCLUSIVE")
        db.execute("PRAGMA auto_vacuum=INCREMENTAL")
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("BEGIN EXCLUSIVE")
        db.execute("COMMIT")
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise CannotStart(f"a service uses {path}: stop it first") from exc
        raise CannotStart(f"cannot open {path}: {exc}") from exc
    except sqlite3.DatabaseError as exc:
        raise CannotStart(f"cannot open {path}: {exc}") from exc


def _expect(db: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    applied, known = set(steps.applied_at(db)), {each.version for each in migrations}
    if applied - known:
        raise CannotStart(f"{path}: {steps.newer_store(max(applied - known))}")
    if known - applied:
        raise CannotStart(
            f"{path} was written by an older version of this program: `autoworker migrate up` first"
        )


@contextmanager
def _store_errors() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as exc:
        raise translated(exc) from exc
