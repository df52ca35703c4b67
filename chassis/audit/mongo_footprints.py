"""Footprints in a MongoDB store that several processes share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from chassis.audit.footprints import Footprints
from chassis.ids import Ids
from chassis.storage.companions import Transaction, on_mongo
from chassis.storage.mongo import MongoDatabase, MongoTransaction, store_errors
from chassis.storage.mongo_migrations import MongoMigration
from chassis.storage.mongo_transactions import accompanied_in

COLLECTION: Final = "audit_footprints"
OVER: Final = timedelta(minutes=10)
"""After so long a call has surely ended: no deadline of one is as far away."""
_AT_ONCE: Final = 500


def footprints_migration(version: int) -> MongoMigration:
    """The step that makes the collection, numbered as the service numbers its steps."""
    return MongoMigration(version, "audit footprints", {COLLECTION: ()})


class MongoFootprints(Footprints):
    """In a collection. Young ones may be of another process, which is about to tell of them; whoever finds an old one tells.

    Args:
        database: which has the collection.
        ids: names them.
        over: the age at which a footprint is of a call that has ended.
    """

    def __init__(self, database: MongoDatabase, ids: Ids, *, over: timedelta = OVER) -> None:
        super().__init__(ids)
        self._database = database
        self._all = database.collection(COLLECTION)
        self._over = over

    def _leave(self, transaction: Transaction, footprint: str, facts: bytes) -> None:
        within = on_mongo(transaction)
        # The server's clock, as those of several machines are not compared.
        fresh = {"$setOnInsert": {"facts": facts}, "$currentDate": {"at": True}}

        async def put() -> None:
            await self._all.update_one(
                {"_id": footprint}, fresh, upsert=True, session=within.session
            )

        within.at_the_end(put)

    async def _drop(self, ids: Sequence[str]) -> None:
        with store_errors():
            await self._all.delete_many({"_id": {"$in": list(ids)}})

    async def _found(self) -> Sequence[tuple[str, bytes]]:
        with store_errors():
            now: datetime = (await self._database.driver.command("hello"))["localTime"]
            old = {"at": {"$lte": now - self._over}}
            found = await self._all.find(old).limit(_AT_ONCE).to_list()
        return [(each["_id"], bytes(each["facts"])) for each in found]

    async def _take(self, footprint: str) -> bool:
        async def work(transaction: MongoTransaction) -> bool:
            gone = await self._all.delete_one({"_id": footprint}, session=transaction.session)
            return gone.deleted_count == 1

        return await accompanied_in(self._database, work)
