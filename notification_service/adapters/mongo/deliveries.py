"""The log of attempted deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass

from chassis.storage.mongo import MongoDatabase, store_errors
from notification_service.adapters.mongo.documents import attempt_of, whose
from notification_service.application.ports import LoggedAttempt
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class MongoDeliveryLog:
    """Implements `DeliveryLog`; each recipient's attempts are counted by themselves."""

    database: MongoDatabase

    async def page(
        self, recipient: Recipient, *, notification_id: str | None, before: int | None, limit: int
    ) -> Sequence[LoggedAttempt]:
        """See `DeliveryLog.page`."""
        which = whose(recipient)
        if notification_id is not None:
            which["notification"] = notification_id
        if before is not None:
            which["position"] = {"$lt": before}
        with store_errors():
            found = self.database.collection("delivery_attempts").find(which)
            return [attempt_of(each) async for each in found.sort("position", -1).limit(limit)]
