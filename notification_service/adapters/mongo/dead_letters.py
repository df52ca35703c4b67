"""What was given up, in a collection."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from chassis.storage.mongo import Collection, Document, MongoDatabase, store_errors
from chassis.storage.mongo_counting import counted_up
from notification_service.adapters.times import moment_of, stamp
from notification_service.domain.dead_letter import (
    DeadLetter,
    DeadLetterFilter,
    DeadLetterKind,
    KeptDeadLetter,
)


@dataclass(frozen=True, slots=True)
class MongoDeadLetters:
    """Implements `DeadLetters`."""

    database: MongoDatabase

    async def keep(self, letter: DeadLetter) -> None:
        """See `DeadLetters.keep`."""
        with store_errors():
            if await self._count_once_more(letter):
                return
            try:
                await self._letters.insert_one(_document_of(letter, await self._next()))
            except DuplicateKeyError:
                # Another process was given the same at the same time.
                _ = await self._count_once_more(letter)

    async def get(self, tenant: str, letter_id: str) -> KeptDeadLetter | None:
        """See `DeadLetters.get`."""
        with store_errors():
            found = await self._letters.find_one({"_id": letter_id, "tenant": tenant})
        return None if found is None else _kept(found)

    async def page(
        self, tenant: str, wanted: DeadLetterFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptDeadLetter]:
        """See `DeadLetters.page`."""
        named = {"kind": wanted.kind, "service": wanted.service, "type": wanted.type}
        which: Document = {"tenant": tenant} | {name: text for name, text in named.items() if text}
        bounds = {"$gte": wanted.since, "$lt": wanted.until}
        if any(bounds.values()):
            which["at"] = {name: stamp(moment) for name, moment in bounds.items() if moment}
        if before is not None:
            which["position"] = {"$lt": before}
        with store_errors():
            found = self._letters.find(which).sort("position", -1).limit(limit)
            return [_kept(each) async for each in found]

    async def remove(self, tenant: str, letter_id: str) -> bool:
        """See `DeadLetters.remove`."""
        with store_errors():
            done = await self._letters.delete_one({"_id": letter_id, "tenant": tenant})
        return done.deleted_count == 1

    async def count(self) -> int:
        """See `DeadLetters.count`."""
        with store_errors():
            return await self._letters.count_documents({})

    @property
    def _letters(self) -> Collection:
        return self.database.collection("dead_letters")

    async def _count_once_more(self, letter: DeadLetter) -> bool:
        new = {"reason": letter.reason, "payload": letter.payload, "at": stamp(letter.at)}
        change = {"$set": new, "$inc": {"times": 1}}
        return (await self._letters.update_one({"_id": letter.id}, change)).matched_count == 1

    async def _next(self) -> int:
        """The next position: one that is not used in the end leaves a hole."""
        counters = self.database.collection("counters")
        return int((await counted_up(counters, "dead_letters", {"last": 1}))["last"])


def _document_of(letter: DeadLetter, position: int) -> Document:
    return {
        "_id": letter.id,
        "position": position,
        "tenant": letter.tenant,
        "kind": letter.kind.value,
        "service": letter.service,
        "subscription": letter.subscription,
        "type": letter.type,
        "about": letter.about,
        "reason": letter.reason,
        "payload": letter.payload,
        "redrivable": letter.redrivable,
        "at": stamp(letter.at),
        "first_at": stamp(letter.at),
        "times": 1,
    }


def _kept(document: Document) -> KeptDeadLetter:
    letter = DeadLetter(
        id=document["_id"],
        tenant=document["tenant"],
        kind=DeadLetterKind(document["kind"]),
        service=document["service"],
        subscription=document["subscription"],
        type=document["type"],
        about=document["about"],
        reason=document["reason"],
        payload=bytes(document["payload"]),
        redrivable=document["redrivable"],
        at=moment_of(document["at"]),
    )
    first_at = moment_of(document["first_at"])
    return KeptDeadLetter(letter, document["position"], first_at, document["times"])
