import asyncio
import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import CannotStart
from chassis.storage.migrations import Migration, migrate, revert
from chassis.storage.sqlite import SqliteDatabase, StoreUnavailable
from chassis.storage.writing import Batch, Writer
from chassis.telemetry import metrics

TABLE = Migration(
    1, "notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT", "DROP TABLE notes"
)


@pytest.fixture(params=["file", "memory"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    path = tmp_path / "store.db" if request.param == "file" else None
    async with await SqliteDatabase.open(path, migrations=[TABLE], name="test") as database:
        yield database


def insert(id: int, text: str = "x") -> Any:
    def work(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO notes VALUES (?, ?)", (id, text))
        return id

    return work


def ids(connection: sqlite3.Connection) -> list[int]:
    return [id for (id,) in connection.execute("SELECT id FROM notes ORDER BY id")]


def commits() -> float:
    return float(metrics.counter("store_commits_total", "", ["store"]).child("test")._value.get())


async def test_what_was_written_can_be_read(database: SqliteDatabase) -> None:
    assert await database.write(insert(1)) == 1
    assert await database.read(ids) == [1]


async def test_concurrent_writers_share_commits(database: SqliteDatabase) -> None:
    before = commits()
    await asyncio.gather(*(database.write(insert(number)) for number in range(300)))
    assert commits() - before < 30
    assert await database.read(ids) == list(range(300))


async def test_a_work_that_fails_is_undone_and_disturbs_no_other(database: SqliteDatabase) -> None:
    def half(connection: sqlite3.Connection) -> None:
        insert(50)(connection)
        raise KeyError("halfway")

    outcomes = await asyncio.gather(
        database.write(insert(1)),
        database.write(half),
        database.write(insert(2)),
        database.write(insert(1)),
        database.write(insert(3)),
        return_exceptions=True,
    )
    kinds = [outcome if isinstance(outcome, int) else type(outcome) for outcome in outcomes]
    assert kinds == [1, KeyError, 2, sqlite3.IntegrityError, 3]
    assert await database.read(ids) == [1, 2, 3]


async def test_works_run_in_the_order_they_were_given(database: SqliteDatabase) -> None:
    seen: list[int] = []
    await asyncio.gather(*(database.write(lambda _, n=n: seen.append(n)) for n in range(100)))  # type: ignore[misc]
    assert seen == list(range(100))


async def test_a_writer_that_is_cancelled_changes_nothing_for_the_others(
    database: SqliteDatabase,
) -> None:
    tasks = [asyncio.create_task(database.write(insert(number))) for number in range(20)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(outcomes[7], asyncio.CancelledError)
    # Accepted is accepted: it was written although nobody waited.
    assert await database.read(ids) == list(range(20))


async def test_a_reader_may_not_write(database: SqliteDatabase) -> None:
    with pytest.raises(StoreUnavailable, match="read-only"):
        await database.read(insert(1))
    assert await database.write(insert(2)) == 2
    assert await database.read(ids) == [2]


async def test_a_read_sees_one_state_all_through(tmp_path: Path) -> None:
    async with await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE]) as database:
        loop = asyncio.get_running_loop()
        await database.write(insert(1))

        def twice(connection: sqlite3.Connection) -> tuple[list[int], list[int]]:
            first = ids(connection)
            asyncio.run_coroutine_threadsafe(database.write(insert(2)), loop).result(5)
            return first, ids(connection)

        assert await database.read(twice) == ([1], [1])
        assert await database.read(ids) == [1, 2]


async def test_a_work_may_not_end_the_transaction(database: SqliteDatabase) -> None:
    with pytest.raises(StoreUnavailable):
        await database.write(lambda connection: connection.execute("ROLLBACK"))
    assert await database.write(insert(1)) == 1


async def test_too_much_waiting_is_refused_with_a_hint_to_come_back(tmp_path: Path) -> None:
    async with await SqliteDatabase.open(
        tmp_path / "s.db", migrations=[TABLE], write_limit=10
    ) as database:
        outcomes = await asyncio.gather(
            *(database.write(insert(number)) for number in range(500)), return_exceptions=True
        )
        refused = [each for each in outcomes if isinstance(each, StoreUnavailable)]
        assert refused
        assert all(each.retry_after for each in refused)
        assert await database.read(ids) == [each for each in outcomes if isinstance(each, int)]


async def test_a_closed_store_refuses_and_closing_twice_is_fine(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE])
    writing = [asyncio.create_task(database.write(insert(number))) for number in range(50)]
    await asyncio.sleep(0)
    await database.close()
    await database.close()
    assert await asyncio.gather(*writing) == list(range(50))
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.write(insert(99))
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.read(ids)


async def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "store.db"
    async with await SqliteDatabase.open(path, migrations=[TABLE]) as database:
        await database.write(insert(1))
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


async def test_a_full_disk_fails_writes_until_there_is_space_again(tmp_path: Path) -> None:
    async with await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE]) as database:
        pages = await database.write(
            lambda connection: connection.execute("PRAGMA page_count").fetchone()[0]
        )
        await database.write(lambda c: c.execute(f"PRAGMA max_page_count={pages + 1}").fetchone())
        big = "x" * 50_000
        outcomes = await asyncio.gather(
            database.write(insert(1)), database.write(insert(2, big)), return_exceptions=True
        )
        assert any(isinstance(each, StoreUnavailable) for each in outcomes)
        assert await database.read(ids) in ([], [1])
        await database.write(lambda c: c.execute("PRAGMA max_page_count=1000000").fetchone())
        assert await database.write(insert(3, big)) == 3


async def test_an_error_of_the_disk_ends_writing_for_good_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE]) as database:
        await database.write(insert(1))

        def fail(connection: sqlite3.Connection) -> None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
            connection.execute("ROLLBACK")
            raise error

        outcomes = await asyncio.gather(
            database.write(insert(2)), database.write(fail), return_exceptions=True
        )
        assert [type(each) for each in outcomes] == [StoreUnavailable, StoreUnavailable]
        with pytest.raises(StoreUnavailable, match="disk"):
            await database.failed()
        with pytest.raises(StoreUnavailable, match="broken"):
            await database.write(insert(3))
        assert await database.read(ids) == [1]


async def test_a_commit_that_fails_fails_everything_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Writer._write

    def sabotaged(self: Writer, connection: sqlite3.Connection, batch: Batch) -> None:
        # A deferred constraint is checked at the commit: the one failure that tests can order.
        connection.execute("PRAGMA defer_foreign_keys=ON")
        original(self, connection, batch)

    children = Migration(
        2,
        "children",
        "CREATE TABLE children (note INTEGER REFERENCES notes (id) DEFERRABLE INITIALLY DEFERRED)",
        "DROP TABLE children",
    )
    monkeypatch.setattr(Writer, "_write", sabotaged)
    async with await SqliteDatabase.open(
        tmp_path / "s.db", migrations=[TABLE, children]
    ) as database:
        outcomes = await asyncio.gather(
            database.write(insert(1)),
            database.write(lambda c: c.execute("INSERT INTO children VALUES (99)").rowcount),
            return_exceptions=True,
        )
        assert [type(each) for each in outcomes] == [StoreUnavailable, StoreUnavailable]
        assert await database.read(ids) == []
        assert await database.write(insert(2)) == 2


async def test_a_file_that_is_no_database_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_text("this is a letter, not a database " * 100)
    with pytest.raises(CannotStart, match=r"s\.db"):
        await SqliteDatabase.open(path, migrations=[TABLE])


async def test_a_store_of_newer_code_cannot_be_opened(tmp_path: Path) -> None:
    newer = Migration(2, "more", "CREATE TABLE more (a)", "DROP TABLE more")
    async with await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE, newer]):
        pass
    with pytest.raises(CannotStart, match="newer"):
        await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE])


@pytest.fixture
def connection() -> Any:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    yield connection
    connection.close()


def tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in found} - {"schema_migrations"}


STEPS = [
    Migration(1, "one", "CREATE TABLE a (x); CREATE TABLE b (x);", "DROP TABLE a; DROP TABLE b"),
    Migration(
        2,
        "trigger",
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN INSERT INTO b VALUES (1); "
        "INSERT INTO b VALUES ('a;b'); END; -- ends; here",
        "DROP TRIGGER t",
    ),
]


def test_migrations_run_once_each_and_may_hold_triggers(connection: sqlite3.Connection) -> None:
    migrate(connection, STEPS[:1])
    migrate(connection, STEPS)
    migrate(connection, STEPS)
    connection.execute("INSERT INTO a VALUES (1)")
    assert connection.execute("SELECT x FROM b").fetchall() == [(1,), ("a;b",)]


def test_a_migration_that_fails_is_undone_and_those_before_it_stand(
    connection: sqlite3.Connection,
) -> None:
    broken = Migration(3, "broken", "CREATE TABLE c (x); CREATE TABLE a (x)", "")
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, [*STEPS, broken])
    assert tables(connection) == {"a", "b"}
    migrate(connection, [*STEPS, Migration(3, "mended", "CREATE TABLE c (x)", "DROP TABLE c")])
    assert tables(connection) == {"a", "b", "c"}


def test_migrations_can_be_taken_back(connection: sqlite3.Connection) -> None:
    migrate(connection, STEPS)
    revert(connection, STEPS, to_version=1)
    assert tables(connection) == {"a", "b"}
    revert(connection, STEPS, to_version=0)
    assert tables(connection) == set()


def test_migrations_out_of_order_are_a_mistake(connection: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match="order"):
        migrate(connection, STEPS[::-1])
