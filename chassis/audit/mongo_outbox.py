"""What a service tells the audit trail, kept in its MongoDB store until the trail has it."""

from collections.abc import Sequence

from chassis.audit.entry import AuditEntry, encoded
from chassis.audit.outbox import AT_ONCE, AuditOutbox, Send
from chassis.storage.companions import Transaction, on_mongo
from chassis.storage.mongo import MongoDatabase, store_errors
from chassis.storage.mongo_migrations import MongoMigration

_COLLECTION = "audit_outbox"


def outbox_migration(version: int) -> MongoMigration:
    """The step that makes the collection, numbered as the service numbers its steps."""
    return MongoMigration(version, "audit outbox", {_COLLECTION: ()})


class MongoAuditOutbox(AuditOutbox):
    """In a collection; processes that share it may bring the same, which the trail keeps once."""

    def __init__(self, database: MongoDatabase) -> None:
        super().__init__()
        self._entries = database.collection(_COLLECTION)

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """See `Sink.keep`."""
        with store_errors():
            await self._entries.insert_many([{"entry": encoded(entry)} for entry in entries])
        self._some.set()

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """See `Sink.keep_within`."""
        within = on_mongo(transaction)
        document = {"entry": encoded(entry)}

        async def put() -> None:
            await self._entries.insert_one(document, session=within.session)

        within.at_the_end(put)

    async def _round(self, send: Send) -> int:
        with store_errors():
            found = await self._entries.find().sort("_id").limit(AT_ONCE).to_list()
        if found:
            await send([each["entry"] for each in found])
            with store_errors():
                await self._entries.delete_many({"_id": {"$in": [each["_id"] for each in found]}})
        return len(found)
