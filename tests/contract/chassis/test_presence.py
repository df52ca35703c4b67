"""Who is alive, and who does what one does for all: told by counts in a shared store, not by clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from pymongo import IndexModel

from chassis.errors import Unavailable
from chassis.storage import mongo_presence
from chassis.storage.mongo import MongoDatabase, Session, opened
from chassis.storage.mongo_migrations import MongoMigration, applied_at, migrate, revert
from chassis.storage.mongo_presence import SILENT_LOOKS, Presence
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.time import eventually


async def looks(presence: Presence, times: int) -> None:
    for _ in range(times):
        await presence.show()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[MongoDatabase]:
    async with opened(database_url(mongo_url(), tmp_path), "present") as database:
        yield database


async def test_a_process_counts_as_dead_once_it_was_silent_at_several_looks(
    database: MongoDatabase,
) -> None:
    one, two = Presence(database, "one"), Presence(database, "two")
    await one.show()
    await looks(two, SILENT_LOOKS)
    assert list(two.alive) == ["one"]
    assert not await two.dead()

    await looks(two, 1)
    assert not two.alive
    assert list(await two.dead()) == ["one"]

    await one.show()
    assert not await two.dead()
    await looks(two, 1)
    assert list(two.alive) == ["one"]


async def test_nobody_takes_those_for_dead_whom_he_has_not_looked_at(
    database: MongoDatabase,
) -> None:
    one, two = Presence(database, "one"), Presence(database, "two")
    await two.show()
    await one.show()
    assert await one.leads("relay")

    assert not await two.dead()
    assert not await two.leads("relay")


async def test_who_ends_in_order_is_gone_at_once(database: MongoDatabase) -> None:
    two = Presence(database, "two")
    async with Presence(database, "one"):
        await two.show()
        assert list(two.alive) == ["one"]
    await two.show()
    assert not two.alive


async def test_one_leads_until_it_is_dead(database: MongoDatabase) -> None:
    one, two, three = (Presence(database, name) for name in ("one", "two", "three"))
    for each in (one, two, three):
        await each.show()
    assert [await each.leads("relay") for each in (one, two, three)] == [True, False, False]

    for _ in range(SILENT_LOOKS + 1):
        await two.show()
        await three.show()
    assert [await each.leads("relay") for each in (two, three, one)] == [True, False, False]


async def test_of_many_asking_at_once_all_hear_that_their_process_has_taken_over(
    database: MongoDatabase,
) -> None:
    one, two = Presence(database, "one"), Presence(database, "two")
    for each in (one, two):
        await each.show()
    assert await one.leads("relay")
    for _ in range(SILENT_LOOKS + 1):
        await two.show()

    assert all(await asyncio.gather(*(two.leads("relay") for _ in range(10))))


async def test_what_a_dead_process_was_about_to_write_keeps_nobody_waiting(
    database: MongoDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_presence, "EVERY", 0.05)
    async with opened(database_url(mongo_url(), tmp_path), "present") as others:
        written, goes_on = asyncio.Event(), asyncio.Event()

        async def counted(session: Session) -> None:
            await others.collection("counters").update_one(
                {"_id": "log"}, {"$inc": {"last": 1}}, upsert=True, session=session
            )
            written.set()
            await goes_on.wait()

        stands_still = asyncio.create_task(others.atomically(counted))
        await written.wait()
        await Presence(others, "one").show()
        two = Presence(database, "two")
        await two.show()
        watching = asyncio.create_task(two.run(nothing))

        await eventually(partial(counts, database), within=40)

        goes_on.set()
        await stands_still  # who was not dead begins again
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    found = await database.collection("counters").find_one({"_id": "log"})
    assert found == {"_id": "log", "last": 2}


async def counts(database: MongoDatabase) -> bool:
    """Whether the counter can be moved on by another one."""

    async def once(session: Session) -> None:
        await database.collection("counters").update_one(
            {"_id": "log"}, {"$inc": {"last": 1}}, upsert=True, session=session
        )

    try:
        await database.atomically(once)
    except Unavailable:
        return False
    return True


async def nothing() -> None:
    """There is nothing to take over."""


async def test_steps_are_applied_once_and_taken_back(database: MongoDatabase) -> None:
    first = MongoMigration(1, "things", {"things": (IndexModel("name", name="by_name"),)})
    second = MongoMigration(2, "more", {"others": ()}, {"things": (IndexModel("at", name="at"),)})
    await migrate(database, [first])
    await database.collection("things").insert_one({"name": "kept"})
    await migrate(database, [first, second])
    assert sorted(await applied_at(database)) == [1, 2]
    assert "at" in await database.collection("things").index_information()

    await revert(database, [first, second], to_version=1)
    assert sorted(await applied_at(database)) == [1]
    assert "at" not in await database.collection("things").index_information()
    assert await database.collection("things").count_documents({"name": "kept"}) == 1

    await revert(database, [first, second], to_version=0)
    assert await database.collection("things").count_documents({}) == 0
