"""The tables of histories can be taken back, step by step, and a store of an earlier version is brought up to date."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chassis.storage.migrations import migrate, revert
from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import append, sqlite_stores
from tests.support.executions import beginning, completing, encode_events
from tests.support.time import ManualClock
from workflow_service.adapters.sqlite.schema import MIGRATIONS

BEFORE_PAYLOADS = [migration for migration in MIGRATIONS if migration.version < 20]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "w.db"


@pytest.fixture
def store(file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        yield connection


def test_every_step_can_be_taken_back(store: sqlite3.Connection) -> None:
    migrate(store, MIGRATIONS)
    revert(store, MIGRATIONS, to_version=0)

    tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    assert [name for (name,) in store.execute(tables)] == ["schema_migrations"]


async def test_what_was_written_before_large_values_were_apart_is_read_as_it_was(
    store: sqlite3.Connection, file: Path
) -> None:
    large = "x" * 70_000
    first = beginning("e1", input=large)
    migrate(store, BEFORE_PAYLOADS)
    row = ("e1", 1, len(first.events), 0, 1, encode_events(first.events))
    store.execute(
        "INSERT INTO commits (execution, first_sequence, last_sequence, at, version, events)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        row,
    )
    store.close()

    async with await SqliteDatabase.open(file, migrations=MIGRATIONS) as database:
        stores = sqlite_stores(database, "node", ManualClock())

        assert [e.event for e in await stores.events.read("e1")] == list(first.events)
        second = beginning("e2", input=large)
        await append(stores, second, completing(second, large))
        assert await stores.payloads_kept() == 1
