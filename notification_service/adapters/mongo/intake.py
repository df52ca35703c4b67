"""Events taking effect, once."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, Session, store_errors
from notification_service.adapters.bells import Bells, EventBell
from notification_service.adapters.mongo import documents
from notification_service.adapters.mongo.inboxes import Inboxes
from notification_service.application.ports import Effect, EventKey
from notification_service.domain.delivery import ChannelName
from notification_service.domain.recipient import Contact, Recipient


class _HeardBefore(Exception):
    """The event was settled before: the transaction is given up."""


@dataclass(frozen=True, slots=True)
class MongoIntake:
    """Implements `Intake`: an event and its effect are one transaction.

    Forgetting somebody is not part of it, since there may be more than a transaction should
    hold. It comes first and changes nothing when it is repeated, as it is after a failure.
    """

    database: MongoDatabase
    inboxes: Inboxes
    bells: Bells
    work: EventBell

    async def settle(self, event: EventKey, effect: Effect) -> bool:
        """See `Intake.settle`."""
        fresh = await self._settled(key_of(event.source, event.id), effect)
        # Also for an event that came again: its first hearing may have been cancelled after the
        # commit and before this line, and a bell may ring for nothing.
        if effect.notification is not None:
            self.bells.ring(effect.notification.recipient)
        if effect.notification is not None or effect.pending is not None:
            self.work.ring()
        return fresh

    async def settle_all(self, settling: Sequence[tuple[EventKey, Effect]]) -> Sequence[bool]:
        """See `Intake.settle_all`; each in a transaction of its own."""
        return await asyncio.gather(*(self.settle(*each) for each in settling))

    async def _settled(self, key: str, effect: Effect) -> bool:
        if effect.erased is not None:
            if await self._heard(key):
                return False
            await self._erase(effect.erased)

        async def settle(session: Session) -> None:
            await self._remember(key, session)
            await self._make(effect, session)

        async with AsyncExitStack() as stack:
            if effect.notification is not None:
                await stack.enter_async_context(self.inboxes.turn(effect.notification.recipient))
            try:
                await self.database.atomically(settle)
            except _HeardBefore:
                return False
        return True

    async def _heard(self, key: str) -> bool:
        with store_errors():
            found = await self.database.collection("settled_events").find_one({"_id": key})
        return found is not None

    async def _remember(self, key: str, session: Session) -> None:
        events = self.database.collection("settled_events")
        try:
            await events.insert_one({"_id": key}, session=session)
        except DuplicateKeyError as exc:
            raise _HeardBefore from exc

    async def _make(self, effect: Effect, session: Session) -> None:
        if effect.contact is not None:
            await self._put_contact(effect.contact, session)
        if (new := effect.notification) is not None:
            places = await self.inboxes.grow(new.recipient, session, notifications=1)
            document = documents.notification_document(new, places.last)
            await self._insert("notifications", document, session)
        if (attempt := effect.attempt) is not None:
            places = await self.inboxes.grow(attempt.recipient, session, attempts=1)
            document = documents.attempt_document(attempt, places.logged)
            await self._insert("delivery_attempts", document, session)
        if effect.pending is not None:
            document = documents.pending_document(effect.pending)
            await self._insert("delivery_queue", document, session)

    async def _insert(self, collection: str, document: Document, session: Session) -> None:
        await self.database.collection(collection).insert_one(document, session=session)

    async def _put_contact(self, contact: Contact, session: Session) -> None:
        contacts = self.database.collection("contacts")
        which = {"_id": documents.key_of_recipient(contact.recipient)}
        known = await contacts.find_one(which, session=session)
        document = documents.contact_document(contact)
        if known is None or document["as_of"] >= known["as_of"]:
            await contacts.replace_one(which, document, upsert=True, session=session)

    async def _erase(self, user: Recipient) -> None:
        which, one = documents.whose(user), {"_id": documents.key_of_recipient(user)}
        collection = self.database.collection
        with store_errors():
            waiting = collection("delivery_queue").find(
                {**which, "channel": ChannelName.MAIL.value}
            )
            mails = [each["notification"] async for each in waiting]
            await collection("mails").delete_many({"_id": {"$in": mails}})
            for name in ("delivery_queue", "delivery_attempts", "notifications"):
                await collection(name).delete_many(which)
            for name in ("preferences", "contacts", "inboxes"):
                await collection(name).delete_one(one)
