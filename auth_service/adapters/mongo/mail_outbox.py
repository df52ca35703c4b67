"""The outbox of mails on MongoDB."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.bells import MailBell
from auth_service.adapters.mongo.ledger import MAILS, MongoEntry, MongoLedger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.mail import OutgoingMail
from chassis.storage.mongo import store_errors
from chassis.storage.mongo_leading import Leadership


class MongoMailOutbox:
    """The port `MailOutbox`."""

    def __init__(self, ledger: MongoLedger, bell: MailBell) -> None:
        self._ledger = ledger
        self._mails = ledger.database.collection(MAILS)
        self._bell = bell

    async def add(self, mail: OutgoingMail) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            entry.post(mail)

        await self._ledger.write(work)

    async def due(self, now: datetime, limit: int) -> Sequence[OutgoingMail]:
        """See the port."""
        due = {"due_at": {"$lte": micros(now)}}
        with store_errors():
            return [
                OutgoingMail(
                    each["_id"],
                    each["tenant"],
                    bytes(each["sealed"]),
                    moment(each["due_at"]),
                    moment(each["expires_at"]),
                )
                async for each in self._mails.find(due).sort("due_at").limit(limit)
            ]

    async def postpone(self, mail_id: str, due_at: datetime) -> None:
        """See the port."""
        with store_errors():
            await self._mails.update_one({"_id": mail_id}, {"$set": {"due_at": micros(due_at)}})

    async def done(self, mail_id: str) -> None:
        """See the port."""
        with store_errors():
            await self._mails.delete_one({"_id": mail_id})

    async def wait(self, *, seconds: float) -> None:
        """See the port."""
        await self._bell.heard(seconds)


class LedMails:
    """An outbox of which only the leader sees what is due. Passing a mail on twice would change nothing, but be in vain."""

    def __init__(self, mails: MongoMailOutbox, leads: Leadership) -> None:
        self._mails = mails
        self._leads = leads
        self.add = mails.add
        self.postpone = mails.postpone
        self.done = mails.done
        self.wait = mails.wait

    async def due(self, now: datetime, limit: int) -> Sequence[OutgoingMail]:
        """See the port."""
        return await self._mails.due(now, limit) if await self._leads() else ()
