"""Mails about accounts, sealed, until they are sent."""

from dataclasses import dataclass

from pymongo.errors import DuplicateKeyError

from chassis.storage.mongo import MongoDatabase, Session, store_errors
from notification_service.adapters.bells import EventBell
from notification_service.adapters.mongo.documents import mail_document, mail_of, pending_document
from notification_service.adapters.times import stamp
from notification_service.application.mail_ports import KEPT, USELESS, SealedMail
from notification_service.domain.delivery import ChannelName, PendingDelivery


@dataclass(frozen=True, slots=True)
class MongoMails:
    """Implements `Mails`; *work* rings when there is one more."""

    database: MongoDatabase
    work: EventBell

    async def accept(self, mail: SealedMail, pending: PendingDelivery) -> bool:
        """See `Mails.accept`."""
        await self._forget_old(mail)

        async def keep(session: Session) -> None:
            mails, queue = map(self.database.collection, ("mails", "delivery_queue"))
            await mails.insert_one(mail_document(mail), session=session)
            await queue.insert_one(pending_document(pending), session=session)

        try:
            await self.database.atomically(keep)
        except DuplicateKeyError:
            return False
        finally:
            self.work.ring()
        return True

    async def find(self, mail_id: str) -> SealedMail | None:
        """See `Mails.find`."""
        which = {"_id": mail_id, "sealed": {"$exists": True}}
        with store_errors():
            found = await self.database.collection("mails").find_one(which)
        return None if found is None else mail_of(found)

    async def _forget_old(self, mail: SealedMail) -> None:
        mails, queue = map(self.database.collection, ("mails", "delivery_queue"))
        sent = {"sent": 1, "written_at": {"$lt": stamp(mail.written_at - KEPT)}}
        useless = {
            "sealed": {"$exists": True},
            "expires_at": {"$lt": stamp(mail.written_at - USELESS)},
        }
        with store_errors():
            await mails.delete_many(sent)
            # What nobody could send in time, for want of a mail server, is not kept for ever. Its
            # delivery goes first: one without a mail would be given up, and somebody told.
            ids = [each["_id"] async for each in mails.find(useless, {"_id": 1})]
            if ids:
                channel = ChannelName.MAIL.value
                await queue.delete_many({"notification": {"$in": ids}, "channel": channel})
                await mails.delete_many({"_id": {"$in": ids}})


async def wipe(database: MongoDatabase, mail_id: str, session: Session) -> None:
    """Forget what the mail says; that it was there stays known, so that it is not sent again."""
    change = {"$unset": {"sealed": ""}, "$set": {"sent": 1}}
    await database.collection("mails").update_one({"_id": mail_id}, change, session=session)
