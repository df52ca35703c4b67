"""Where users have logged in from, on MongoDB."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pymongo import DESCENDING

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.places import MOST, known_among
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.accounts import KnownPlaces, Place, SeenPlace
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.events import Event
from chassis.storage.keys import key_of
from chassis.storage.mongo import store_errors

PLACES: Final = "login_places"


class MongoLoginPlaces:
    """The port `LoginPlaces`."""

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger
        self._places = ledger.database.collection(PLACES)

    async def known(self, user_id: str, places: Sequence[Place]) -> KnownPlaces:
        """See the port."""
        return known_among(await self.all(user_id), places)

    async def all(self, user_id: str) -> Sequence[SeenPlace]:
        """See the port."""
        with store_errors():
            return [
                SeenPlace(
                    Place(each["kind"], each["value"]),
                    moment(each["first_at"]),
                    moment(each["last_at"]),
                )
                async for each in self._places.find({"user_id": user_id}).sort("last_at")
            ]

    async def remember(
        self,
        user_id: str,
        places: Sequence[Place],
        at: datetime,
        events: Sequence[Event] = (),
        mails: Sequence[OutgoingMail] = (),
    ) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            for place in places:
                await self._put(entry, user_id, place, micros(at))
                await self._trim(entry, user_id, place.kind)
            for event in events:
                entry.announce(event)
            for mail in mails:
                entry.post(mail)

        await self._ledger.write(work)

    async def _put(self, entry: MongoEntry, user_id: str, place: Place, at: int) -> None:
        fresh = {"user_id": user_id, "kind": place.kind, "value": place.value, "first_at": at}
        await self._places.update_one(
            {"_id": key_of(user_id, place.kind, place.value)},
            {"$setOnInsert": fresh, "$max": {"last_at": at}},
            upsert=True,
            session=entry.session,
        )

    async def _trim(self, entry: MongoEntry, user_id: str, kind: str) -> None:
        theirs = self._places.find(
            {"user_id": user_id, "kind": kind}, {"_id": 1}, session=entry.session
        )
        oldest = [each["_id"] async for each in theirs.sort("last_at", DESCENDING).skip(MOST)]
        if oldest:
            await self._places.delete_many({"_id": {"$in": oldest}}, session=entry.session)
