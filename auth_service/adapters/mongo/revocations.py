"""The feed of revocations on MongoDB. It is written through `auth_service.adapters.mongo.ledger`."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.bells import Tide
from auth_service.adapters.mongo.ledger import FEED
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import Change, Revocation, RevocationKind
from chassis.storage.mongo import MongoDatabase, store_errors


class MongoRevocations:
    """The port `Revocations`."""

    def __init__(self, database: MongoDatabase, revoked: Tide) -> None:
        self._feed = database.collection(FEED)
        self._revoked = revoked

    async def after(self, position: int, *, now: datetime, limit: int) -> Sequence[Revocation]:
        """See the port."""
        wanted = {"position": {"$gt": position}, "forget_at": {"$gt": micros(now)}}
        with store_errors():
            return [
                Revocation(
                    each["position"],
                    Change(
                        RevocationKind(each["kind"]), each["subject"], moment(each["forget_at"])
                    ),
                )
                async for each in self._feed.find(wanted).sort("position").limit(limit)
            ]

    def known(self) -> int:
        """See the port."""
        return self._revoked.level

    async def wait(self, position: int, *, seconds: float) -> None:
        """See the port."""
        await self._revoked.above(position, seconds=seconds)

    async def purge(self, now: datetime) -> None:
        """See the port."""
        with store_errors():
            await self._feed.delete_many({"forget_at": {"$lte": micros(now)}})
