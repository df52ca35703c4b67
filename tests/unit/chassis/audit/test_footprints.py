"""A change that a crash separated from its entry is told at the next start; all others are told once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from chassis.audit.footprints import FOOTPRINTS, SqliteFootprints
from chassis.audit.outbox import SqliteAuditOutbox, outbox_migration
from chassis.audit.recorder import Recorder
from chassis.ids import RandomIds
from chassis.lifecycle import Supervisor
from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from tests.support.time import eventually

MIGRATIONS = [
    Migration(1, "things", "CREATE TABLE things (name TEXT UNIQUE) STRICT", "DROP TABLE things"),
    outbox_migration(2),
    Migration(3, "footprints", FOOTPRINTS, "DROP TABLE audit_footprints"),
]


class Service:
    """A store, and what tells of it."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.footprints = SqliteFootprints(database, RandomIds())
        self.audit = Recorder("auth", SqliteAuditOutbox(database), footprints=self.footprints)

    async def change(self, name: str) -> None:
        await self.database.write(
            lambda c: c.execute("INSERT INTO things VALUES (?)", (name,)).rowcount
        )

    async def called(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A call of Ada's, as a server makes it: in a context of its own."""

        async def call() -> None:
            self.audit.entered(tenant="acme", actor="ada", target="/Things/Make", request_id="r1")
            await work()

        await asyncio.get_running_loop().create_task(call())

    async def count(self, table: str) -> int:
        rows = await self.database.read(
            lambda c: c.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
        )
        return int(rows[0])

    async def swept(self) -> bool:
        return await self.count("audit_footprints") == 0


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with await SqliteDatabase.open(None, migrations=MIGRATIONS) as database:
        yield Service(database)


async def test_a_change_leaves_a_footprint_until_its_entry_is_kept(service: Service) -> None:
    async def work() -> None:
        await service.change("one")
        assert await service.count("audit_footprints") == 1
        service.audit.record("thing_made", actor="ada")
        await service.audit.settled()

    async with Supervisor() as supervisor:
        _ = supervisor.start("audit", service.audit.run())
        await service.called(work)
        await eventually(service.swept)
    assert await service.count("audit_outbox") == 1


async def test_what_goes_along_needs_none(service: Service) -> None:
    async def work() -> None:
        with service.audit.along("thing_made", actor="ada"):
            await service.change("one")
        assert await service.count("audit_footprints") == 0

    await service.called(work)
    assert await service.count("audit_outbox") == 1


async def test_what_nobody_tells_of_is_swept_after_the_call(service: Service) -> None:
    async def work() -> None:
        await service.change("one")
        await service.audit.settled()

    async with Supervisor() as supervisor:
        _ = supervisor.start("audit", service.audit.run())
        await service.called(work)
        await eventually(service.swept)
    assert await service.count("audit_outbox") == 0


async def test_what_a_crash_left_untold_is_told_once_at_the_next_start(service: Service) -> None:
    await service.called(lambda: service.change("one"))  # and then the lights go out

    after = Service(service.database)
    await after.footprints.report(after.audit)
    await after.footprints.report(after.audit)

    assert await after.count("audit_outbox") == 1
    (text,) = await after.database.read(
        lambda c: c.execute("SELECT entry FROM audit_outbox").fetchone()
    )
    assert b'"action":"change_unconfirmed"' in text
    assert b'"actor":"ada"' in text
    assert b'"target":"/Things/Make"' in text
    assert b'"request_id":"r1"' in text


async def test_outside_of_calls_there_are_none(service: Service) -> None:
    await service.change("one")

    assert await service.count("audit_footprints") == 0


async def test_a_call_that_is_cut_off_after_its_change_is_told_at_once(service: Service) -> None:
    async def work() -> None:
        await service.change("one")
        service.audit.abandoned()
        service.audit.abandoned()

    async def told() -> bool:
        return await service.count("audit_outbox") == 1 and await service.swept()

    async with Supervisor() as supervisor:
        _ = supervisor.start("audit", service.audit.run())
        await service.called(work)
        await eventually(told)


async def test_a_call_that_is_cut_off_before_any_change_is_not_told(service: Service) -> None:
    async def work() -> None:
        service.audit.abandoned()

    await service.called(work)
    assert await service.count("audit_outbox") == 0
