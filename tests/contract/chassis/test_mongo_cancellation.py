"""Work on MongoDB ends when it is told to, at whichever moment that comes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from chassis.storage.mongo import opened, store_errors
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url

MANY = 60


# The driver leaves a socket behind when it is cancelled while it connects.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_no_cancellation_is_lost_in_the_driver(tmp_path: Path) -> None:
    async with opened(database_url(mongo_url(), tmp_path), "cancelled") as database:
        things = database.collection("things")

        async def look() -> None:
            while True:
                with store_errors():
                    await things.find_one({"_id": 1})

        for number in range(MANY):
            looking = asyncio.ensure_future(look())
            for _ in range(number):  # a different moment each time
                await asyncio.sleep(0)
            looking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(looking, 30)
