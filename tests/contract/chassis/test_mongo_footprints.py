"""What a crash leaves untold in a store that processes share: told once, and not while somebody may yet tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chassis.audit.entry import decoded
from chassis.audit.mongo_footprints import OVER, MongoFootprints, footprints_migration
from chassis.audit.mongo_outbox import MongoAuditOutbox, outbox_migration
from chassis.audit.recorder import Recorder
from chassis.ids import RandomIds
from chassis.lifecycle import Supervisor
from chassis.storage.mongo import MongoDatabase, MongoTransaction, opened
from chassis.storage.mongo_migrations import MongoMigration, migrate
from chassis.storage.mongo_transactions import accompanied_in
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.time import eventually

MIGRATIONS = [
    MongoMigration(1, "things", {"things": ()}),
    outbox_migration(2),
    footprints_migration(3),
]


class Process:
    """One of those that share a store."""

    def __init__(self, database: MongoDatabase, over: timedelta = OVER) -> None:
        self.database = database
        self.footprints = MongoFootprints(database, RandomIds(), over=over)
        self.audit = Recorder("auth", MongoAuditOutbox(database), footprints=self.footprints)

    async def call(self, name: str, *, told: bool) -> None:
        """A call of Ada's, as a server makes it: in a context of its own."""

        async def make(transaction: MongoTransaction) -> None:
            things = transaction.collection("things")
            await things.insert_one({"_id": name}, session=transaction.session)

        async def work() -> None:
            self.audit.entered(tenant="acme", actor="ada", target="/Things/Make")
            await accompanied_in(self.database, make)
            if told:
                self.audit.record("thing_made", actor="ada")
                await self.audit.settled()

        await asyncio.get_running_loop().create_task(work())

    async def count(self, collection: str) -> int:
        return await self.database.collection(collection).count_documents({})

    async def swept(self) -> bool:
        return await self.count("audit_footprints") == 0


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[MongoDatabase]:
    async with opened(database_url(mongo_url(), tmp_path), "trodden") as database:
        await migrate(database, MIGRATIONS)
        yield database


async def test_a_footprint_is_there_until_the_entry_is_kept(database: MongoDatabase) -> None:
    process = Process(database)

    await process.call("untold", told=False)
    assert await process.count("audit_footprints") == 1

    async with Supervisor() as supervisor:
        _ = supervisor.start("audit", process.audit.run())
        await process.call("told", told=True)

        async def one_left() -> bool:
            return await process.count("audit_footprints") == 1

        await eventually(one_left)
    assert await process.count("audit_outbox") == 1


async def test_what_another_process_may_yet_tell_of_is_left_to_it(database: MongoDatabase) -> None:
    await Process(database).call("one", told=False)
    other = Process(database)

    await other.footprints.report(other.audit)

    assert await other.count("audit_footprints") == 1
    assert await other.count("audit_outbox") == 0


async def test_what_a_crash_left_untold_is_told_by_one_of_those_who_find_it(
    database: MongoDatabase,
) -> None:
    await Process(database).call("one", told=False)  # and then the lights go out
    others = [Process(database, over=timedelta()) for _ in range(3)]

    await asyncio.gather(*(each.footprints.report(each.audit) for each in others))

    assert await others[0].swept()
    (kept,) = await database.collection("audit_outbox").find().to_list()
    entry = decoded(kept["entry"])
    assert (entry.action, entry.tenant, entry.actor) == ("change_unconfirmed", "acme", "ada")
    assert entry.target == "/Things/Make"
