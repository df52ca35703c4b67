"""Where readers of a shared intake begin, whatever comes just then."""

from __future__ import annotations

from pathlib import Path

import pytest

from chassis.lifecycle import Supervisor
from chassis.storage.mongo import opened as opened_mongo
from chassis.storage.mongo_migrations import migrate
from chassis.storage.mongo_presence import Presence
from tests.contract.workflow_service.adapters import mongo_stores
from tests.contract.workflow_service.test_intake import sent
from tests.support.executions import at
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.schema import MIGRATIONS


async def test_an_event_that_comes_while_a_new_reader_finds_its_place_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_mongo(database_url(mongo_url(), tmp_path), "workflow") as database:
        await migrate(database, MIGRATIONS)
        async with Presence(database, "one") as presence, Supervisor() as supervisor:
            journal = Journal(database, supervisor, node="one")
            stores = mongo_stores(database, journal, presence)
            arrived = journal.barrier.arrived

            async def late() -> int:
                await stores.inbound.add([sent("a")], at(0))
                return await arrived()

            monkeypatch.setattr(journal.barrier, "arrived", late)
            place = await stores.intake.load_checkpoint("new")

            assert [tenant for _, tenant in await stores.intake.owners(place, 9)] == ["default"]
