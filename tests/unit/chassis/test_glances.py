"""Look-ups that are done at once, on the event loop."""

import sqlite3
import threading
from pathlib import Path

import pytest

from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase, StoreUnavailable

TABLE = Migration(
    1, "notes", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT", "DROP TABLE notes"
)


def texts(connection: sqlite3.Connection) -> list[str]:
    return [text for (text,) in connection.execute("SELECT text FROM notes ORDER BY id")]


@pytest.mark.parametrize("where", ["file", "memory"])
async def test_a_glance_sees_what_is_committed(tmp_path: Path, where: str) -> None:
    path = tmp_path / "s.db" if where == "file" else None
    async with await SqliteDatabase.open(path, migrations=[TABLE]) as database:
        await database.write(lambda c: c.execute("INSERT INTO notes VALUES (1, 'a')").rowcount)
        assert await database.glance(texts) == ["a"]
        await database.write(lambda c: c.execute("UPDATE notes SET text = 'b'").rowcount)
        assert await database.glance(texts) == ["b"]


async def test_a_glance_is_made_on_the_event_loop_and_changes_nothing(tmp_path: Path) -> None:
    async with await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE]) as database:
        here = threading.get_ident()
        assert await database.glance(lambda _: threading.get_ident()) == here
        with pytest.raises(StoreUnavailable, match="read-only"):
            await database.glance(lambda c: c.execute("INSERT INTO notes VALUES (1, 'a')").rowcount)


async def test_a_closed_store_refuses_a_glance(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path / "s.db", migrations=[TABLE])
    await database.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await database.glance(texts)
