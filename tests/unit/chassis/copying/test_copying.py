"""A copy that ends at any moment is gone on with; what differs afterwards is named."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from chassis.errors import CannotStart
from chassis.storage.copying import tables
from chassis.storage.copying.comparing import Comparison, compared
from chassis.storage.copying.copying import admitted, begun, copied, finished, totals_of
from chassis.storage.copying.records import Kind, Note, Record
from chassis.storage.copying.schemas import kinds_of
from chassis.storage.copying.tables import Rows, TableStore, opened
from chassis.storage.migrations import Migration, migrate

MIGRATIONS: Final = (
    Migration(
        1,
        "things",
        "CREATE TABLE words (tenant TEXT, word TEXT, n INTEGER, PRIMARY KEY (tenant, word)) STRICT;"
        "CREATE TABLE blobs (digest BLOB PRIMARY KEY, data BLOB) STRICT, WITHOUT ROWID;"
        "CREATE TABLE none (id TEXT PRIMARY KEY) STRICT",
        "DROP TABLE none; DROP TABLE blobs; DROP TABLE words",
    ),
)
KINDS: Final = kinds_of(MIGRATIONS)
ROWS: Final = 11


class Died(Exception):
    """The process was killed."""


class Mortal(TableStore):
    """A store whose process dies at one of its writes, before it or after it."""

    moments: int | None = None

    async def write(self, kind: Kind, records: Sequence[Record], note: Note) -> None:
        """Do it, and perhaps die."""
        self._pass()
        await super().write(kind, records, note)
        self._pass()

    def _pass(self) -> None:
        if self.moments is not None:
            if self.moments == 0:
                raise Died
            self.moments -= 1


class Stores:
    """A full file and an empty one."""

    def __init__(self, source: TableStore, target: Mortal, files: tuple[Path, Path]) -> None:
        self.source = source
        self.target = target
        self.files = files

    async def copy(self, *, restart: bool = False) -> int:
        """Copy, or go on; return how many records that were."""
        brought: list[int] = []
        note = await admitted(self.target, "there", await totals_of(self.source), restart=restart)
        note = await begun(self.target, note)
        await copied(self.source, self.target, note, lambda *told: brought.append(told[2]))
        return sum(brought)

    async def compare(self) -> list[Comparison]:
        """What comes out for each kind."""
        return [each async for each in compared(self.source, self.target, nobody)]

    async def differences(self) -> list[tuple[str, str]]:
        """What differs, and how."""
        return [(each.named, each.what) for kind in await self.compare() for each in kind.shown]

    def change(self, which: int, statement: str) -> None:
        """Have somebody meddle with a file."""
        store = (self.source, self.target)[which]
        store._db.execute(statement)


def nobody(_service: str, _kind: Kind, _records: int) -> None:
    """Nobody looks on."""


@pytest.fixture
async def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stores]:
    monkeypatch.setattr(tables, "RECORDS", 3)
    files = tmp_path / "from.db", tmp_path / "to.db"
    shelves = [Rows(kind) for kind in KINDS.values()]
    with ExitStack() as stack:
        here, there = (stack.enter_context(opened(file, MIGRATIONS, target=True)) for file in files)
        fill(here)
        yield Stores(
            TableStore("things", here, shelves, MIGRATIONS),
            Mortal("things", there, shelves, MIGRATIONS),
            files,
        )


def fill(db: sqlite3.Connection) -> None:
    for number in range(ROWS):
        db.execute("INSERT INTO words VALUES (?, ?, ?)", (f"t{number % 3}", f"w{number}", number))
        db.execute(
            "INSERT INTO blobs VALUES (?, ?)", (bytes([number]), None if number % 2 else b"x")
        )


async def test_everything_is_there_afterwards(stores: Stores) -> None:
    _ = await stores.copy()

    assert [(each.kind.name, each.records) for each in await stores.compare()] == [
        ("words", ROWS),
        ("blobs", ROWS),
        ("none", 0),
    ]
    assert await stores.differences() == []


@pytest.mark.parametrize("moment", range(16))
async def test_a_copy_that_ends_at_any_moment_is_gone_on_with(stores: Stores, moment: int) -> None:
    stores.target.moments = moment
    with pytest.raises(Died):
        _ = await stores.copy()
    stores.target.moments = None

    there = sum((await totals_of(stores.target)).values())
    later = await stores.copy()

    assert there + later == 2 * ROWS
    assert await stores.differences() == []


async def test_what_differs_is_named(stores: Stores) -> None:
    _ = await stores.copy()
    stores.change(1, "UPDATE words SET n = 99 WHERE word = 'w4'")
    stores.change(1, "DELETE FROM blobs WHERE digest = x'07'")
    stores.change(1, "INSERT INTO none VALUES ('more')")

    assert await stores.differences() == [
        ("tenant=t1 word=w4", "differs"),
        ("digest=07", "is missing"),
        ("id=more", "is only there"),
    ]


async def test_no_service_starts_before_the_copy_is_whole(stores: Stores) -> None:
    _ = await stores.copy()
    with pytest.raises(CannotStart, match="half copied"):
        migrate(stores.target._db, MIGRATIONS)

    await finished(stores.target)
    migrate(stores.target._db, MIGRATIONS)


async def test_a_source_that_has_changed_is_copied_anew_when_that_is_wanted(stores: Stores) -> None:
    stores.target.moments = 5
    with pytest.raises(Died):
        _ = await stores.copy()
    stores.target.moments = None
    stores.change(0, "DELETE FROM words WHERE word = 'w0'")

    with pytest.raises(CannotStart, match="has changed since"):
        _ = await stores.copy()
    _ = await stores.copy(restart=True)

    assert await stores.differences() == []


async def test_what_was_there_before_is_never_cleared(stores: Stores) -> None:
    stores.change(1, "INSERT INTO none VALUES ('mine')")

    with pytest.raises(CannotStart, match="not empty"):
        _ = await stores.copy(restart=True)


def test_a_file_that_is_open_elsewhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "from.db"
    with opened(path, MIGRATIONS, target=True):
        pass
    other = sqlite3.connect(path)
    other.execute("SELECT * FROM words").fetchall()

    with pytest.raises(CannotStart, match="stop it first"), opened(path, MIGRATIONS, target=False):
        pass
    other.close()
    with opened(path, MIGRATIONS, target=False):
        pass


def test_a_file_of_an_older_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "from.db"
    sqlite3.connect(path).close()

    with pytest.raises(CannotStart, match="migrate up"), opened(path, MIGRATIONS, target=False):
        pass
