"""A store that lives long does not grow for ever."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from prometheus_client import REGISTRY

from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import Stores, append, sqlite_stores
from tests.support.executions import accepted, beginning, completing, following
from tests.support.time import ManualClock
from workflow_service.adapters.sqlite.schema import MIGRATIONS
from workflow_service.application.engine.retention import Sweeper
from workflow_service.application.ports import InboundEvent
from workflow_service.domain.execution.workflow_events import WorkflowStarted

DAY = 86_400.0
PER_DAY = 20


async def one_day(stores: Stores, number: int) -> None:
    """Executions begin and end, events come, everything is published."""
    for each in range(PER_DAY):
        name = f"d{number}-{each}"
        first = beginning(name, input="x" * 5_000, tags=["t"], created_at=stores.clock.now())
        second = following(first)
        end = completing(second)
        await append(stores, first, second, end)
        event = InboundEvent(
            tenant="default", sender="a", id=name, source="/", type="t", data=b"x" * 500
        )
        await stores.inbound.add([event], stores.clock.now())
    position = await stores.log.load_checkpoint("relay")
    while entries := await stores.log.read_log(position, 1_000):
        position = entries[-1][0]
    await stores.log.save_checkpoint("relay", position)


def sizes(folder: Path) -> tuple[int, int]:
    """The file's and the log's."""
    log = folder / "w.db-wal"
    return (folder / "w.db").stat().st_size, log.stat().st_size if log.exists() else 0


async def pages(database: SqliteDatabase) -> int:
    return int(await database.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0]))


async def test_after_the_first_days_the_store_stays_as_large_as_it_is(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path / "w.db", migrations=MIGRATIONS)
    async with database:
        clock = ManualClock()
        stores = sqlite_stores(database, "node", clock)
        sweeper = Sweeper(stores.retention, clock, days=3, pause=0)
        found = []
        for day in range(15):
            await one_day(stores, day)
            clock.advance(DAY)
            await sweeper.sweep()
            found.append(await pages(database))
        assert max(found[8:]) <= max(found[:8]) * 1.05
        clock.advance(30 * DAY)
        await sweeper.sweep()
        assert await pages(database) < found[-1] / 2
    assert sizes(tmp_path)[0] < 300_000


async def test_large_values_give_their_room_back_with_the_last_execution_that_has_them(
    tmp_path: Path,
) -> None:
    database = await SqliteDatabase.open(tmp_path / "w.db", migrations=MIGRATIONS)
    async with database:
        clock = ManualClock()
        stores = sqlite_stores(database, "node", clock)
        sweeper = Sweeper(stores.retention, clock, days=3, pause=0)
        empty = await pages(database)
        for each in range(20):
            shared, own = "s" * 200_000, f"{each}" * 100_000
            name = f"e{each}"
            first = beginning(name, accepted(name, shared), WorkflowStarted(), input=shared)
            await append(stores, first, completing(first, own))
        await one_day(stores, 0)
        full = await pages(database)
        clock.advance(30 * DAY)
        await sweeper.sweep()

        assert await stores.payloads_kept() == 0
        assert await pages(database) < empty + (full - empty) / 20


async def test_the_log_of_the_store_is_folded_into_it_as_it_grows(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path / "w.db", migrations=MIGRATIONS)
    async with database:
        clock = ManualClock()
        stores = sqlite_stores(database, "node", clock)
        for number in range(2_000):
            await append(stores, beginning(f"e{number}", input="x" * 20_000))
        file, log = sizes(tmp_path)
    assert file > 20_000_000
    assert log < 20_000_000


async def test_keeping_for_ever_is_possible(tmp_path: Path) -> None:
    database = await SqliteDatabase.open(tmp_path / "w.db", migrations=MIGRATIONS)
    async with database:
        clock = ManualClock()
        stores = sqlite_stores(database, "node", clock)
        await one_day(stores, 0)
        clock.advance(10_000 * DAY)
        await Sweeper(stores.retention, clock, days=0, pause=0).sweep()
        assert await stores.events.head("d0-0") is not None


async def test_what_was_deleted_is_counted() -> None:
    def counted() -> float:
        labels = {"what": "executions"}
        return REGISTRY.get_sample_value("workflow_retention_deleted_total", labels) or 0.0

    before = counted()
    async with await SqliteDatabase.open(None, migrations=MIGRATIONS) as database:
        clock = ManualClock()
        stores = sqlite_stores(database, "node", clock)
        await one_day(stores, 0)
        clock.advance(31 * DAY)
        await Sweeper(stores.retention, clock, days=30, pause=0).sweep()

    assert counted() == before + PER_DAY


async def test_a_file_from_before_can_shrink_too(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "w.db")
    old.execute("PRAGMA journal_mode=WAL")
    old.execute("CREATE TABLE t (x)")
    old.commit()
    old.close()

    async with await SqliteDatabase.open(tmp_path / "w.db", migrations=MIGRATIONS) as database:
        mode = await database.read(lambda db: db.execute("PRAGMA auto_vacuum").fetchone()[0])
    assert mode == 2
