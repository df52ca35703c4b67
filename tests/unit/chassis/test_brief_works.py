"""Works that are done on the event loop, together with others in few statements."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from chassis.storage.many import insert_rows, write_rows
from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase

TABLE = Migration(
    1, "notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT", "DROP TABLE notes"
)


@dataclass(frozen=True)
class Note:
    """Inserts one note and returns its id."""

    id: int
    groups: ClassVar[list[tuple[int, str]]] = []

    def __call__(self, connection: sqlite3.Connection) -> int:
        return self.together(connection, (self,))[0]

    @staticmethod
    def together(connection: sqlite3.Connection, works: Sequence["Note"]) -> Sequence[int]:
        Note.groups.append((len(works), threading.current_thread().name))
        insert_rows(connection, "INSERT INTO notes (id, text)", [(work.id, "x") for work in works])
        return [work.id for work in works]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    Note.groups.clear()
    async with await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE]) as database:
        yield database


def ids(connection: sqlite3.Connection) -> list[int]:
    return [id for (id,) in connection.execute("SELECT id FROM notes ORDER BY id")]


async def test_they_are_done_together_on_the_event_loop(database: SqliteDatabase) -> None:
    outcomes = await asyncio.gather(*(database.write(Note(number)) for number in range(300)))

    assert outcomes == list(range(300))
    assert await database.read(ids) == list(range(300))
    assert len(Note.groups) < 30
    assert threading.current_thread().name in {thread for _, thread in Note.groups}


async def test_one_that_fails_disturbs_no_other(database: SqliteDatabase) -> None:
    outcomes = await asyncio.gather(
        *(database.write(Note(number)) for number in (1, 2, 1, 3)), return_exceptions=True
    )

    kinds = [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes]
    assert kinds == [1, 2, sqlite3.IntegrityError, 3]
    assert await database.read(ids) == [1, 2, 3]


async def test_they_keep_their_order_among_other_works(database: SqliteDatabase) -> None:
    seen: list[list[int]] = []

    await asyncio.gather(
        database.write(Note(1)),
        database.write(lambda connection: seen.append(ids(connection))),
        database.write(Note(2)),
        database.write(lambda connection: seen.append(ids(connection))),
    )

    assert seen == [[1], [1, 2]]


async def test_they_never_make_the_event_loop_wait_for_another_process(
    database: SqliteDatabase, tmp_path: Path
) -> None:
    other = sqlite3.connect(tmp_path / "s.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        began = time.perf_counter()
        writing = asyncio.create_task(database.write(Note(1)))
        for _ in range(20):
            await asyncio.sleep(0.001)

        assert not writing.done()
        assert time.perf_counter() - began < 10
    finally:
        other.execute("COMMIT")
        other.close()
    assert await writing == 1


async def test_what_is_accepted_is_written_although_the_store_closes(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE])
    writing = [asyncio.create_task(database.write(Note(number))) for number in range(200)]
    await asyncio.sleep(0)
    await database.close()

    assert await asyncio.gather(*writing) == list(range(200))


@pytest.mark.parametrize("count", [0, 1, 3, 4, 63, 64, 65, 200])
def test_any_number_of_rows_is_written(count: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
    rows = [(number, str(number)) for number in range(count)]

    inserted = insert_rows(connection, "INSERT INTO notes (id, text)", rows)
    changed = write_rows(
        connection,
        "UPDATE notes SET text = new.column2 FROM (VALUES",
        [(number, "y") for number, _ in rows[::2]],
        ") AS new WHERE notes.id = new.column1",
    )

    assert (inserted, changed) == (count, len(rows[::2]))
    assert connection.execute("SELECT count(*) FROM notes WHERE text = 'y'").fetchone() == (
        changed,
    )
    connection.close()
