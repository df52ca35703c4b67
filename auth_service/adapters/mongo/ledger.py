"""One transaction over what a change touches: its documents, the outbox, and the feed of revocations.

A transaction sees the store as it was when it began, and is refused only when somebody else has changed a document that it writes
itself. So whatever a decision rests on is part of the filter of a write, or is written as well, or is refused by a unique index.

Positions of the outbox and of the feed come from a counter each. Whoever has counted keeps all others from it until the commit, so
positions are in the order of commits, and no reader passes one that comes later.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec

from auth_service.adapters.bells import MailBell, Tide
from auth_service.adapters.event_codec import cloud_event
from auth_service.adapters.times import micros
from auth_service.application.ports import Change
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.events import Event
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.keys import key_of
from chassis.storage.mongo import Collection, Document, MongoDatabase, MongoTransaction, Session
from chassis.storage.mongo_counting import counted_up
from chassis.storage.mongo_transactions import accompanied_in

T = TypeVar("T")

COUNTERS: Final = "counters"
OUTBOX: Final = "outbox"
FEED: Final = "revocation_feed"
MAILS: Final = "mail_outbox"

_encode = msgspec.json.Encoder().encode


class MongoEntry:
    """A transaction while it is made, and what is told beside the documents; that is written at its end."""

    def __init__(self, transaction: MongoTransaction) -> None:
        self.announced = 0
        """The last position in the outbox, once it is written."""
        self.revoked = 0
        """The same in the feed."""
        self._transaction = transaction
        self._events: list[Document] = []
        self._changes: list[Document] = []
        self._mails: list[Document] = []

    @property
    def session(self) -> Session:
        """To be given to every operation."""
        return self._transaction.session

    @property
    def mailed(self) -> bool:
        """Whether there is a mail among it."""
        return bool(self._mails)

    def collection(self, name: str) -> Collection:
        """The collection called *name*."""
        return self._transaction.collection(name)

    def announce(self, event: Event) -> None:
        """Put *event* into the outbox."""
        self._events.append({"event": _encode(cloud_event(event))})

    def revoke(self, change: Change) -> None:
        """Put *change* on the feed of revocations, in place of an earlier one about the same."""
        self._changes.append(
            {
                "_id": key_of(change.kind.value, change.subject),
                "kind": change.kind.value,
                "subject": change.subject,
                "forget_at": micros(change.forget_at),
            }
        )

    def post(self, mail: OutgoingMail) -> None:
        """Put *mail* into the outbox of mails."""
        self._mails.append(mail_document(mail))

    async def tell(self) -> None:
        """Write what was announced, revoked and posted."""
        if self._mails:
            await self.collection(MAILS).insert_many(self._mails, session=self.session)
        if self._events:
            positions = await self._positions(OUTBOX, len(self._events))
            self.announced = positions[-1]
            events = [{"_id": at, **each} for at, each in zip(positions, self._events, strict=True)]
            await self.collection(OUTBOX).insert_many(events, session=self.session)
        if self._changes:
            await self._revoke()

    async def _revoke(self) -> None:
        positions = await self._positions(FEED, len(self._changes))
        self.revoked = positions[-1]
        latest = {
            change["_id"]: change | {"position": at}
            for at, change in zip(positions, self._changes, strict=True)
        }
        feed = self.collection(FEED)
        for key, change in latest.items():
            await feed.replace_one({"_id": key}, change, upsert=True, session=self.session)

    async def _positions(self, log: str, count: int) -> range:
        """The next *count* positions of *log*."""
        counters = self.collection(COUNTERS)
        found = await counted_up(counters, log, {"last": count}, self.session)
        last = int(found["last"])
        return range(last - count + 1, last + 1)


class MongoLedger:
    """Writes the store; whoever waits for an outbox or the feed goes on after the commit.

    Nearly every write comes to a document that all come to: a counter, or the head of the audit trail. So the writes of one
    process take turns, instead of making each other begin again; those of other processes do that, rarely.
    """

    def __init__(
        self, database: MongoDatabase, *, announced: Tide, revoked: Tide, mailed: MailBell
    ) -> None:
        self.database = database
        self._announced = announced
        self._revoked = revoked
        self._mailed = mailed
        self._turn = asyncio.Lock()

    async def write(self, work: Callable[[MongoEntry], Coroutine[Any, Any, T]]) -> T:
        """Do *work* in one transaction, all or nothing, and return its result once it is durable.

        It is called again from its beginning when another process has just changed the same documents, so it keeps nothing between
        its calls. What it raises undoes everything. Of a result that is False nothing is told in the audit trail.

        Raises:
            StoreUnavailable: the store does not answer, or too many wait for it.
        """
        entry: MongoEntry | None = None

        async def entered(transaction: MongoTransaction) -> T:
            nonlocal entry
            entry = MongoEntry(transaction)
            result = await work(entry)
            transaction.at_the_end(entry.tell)
            return result

        async with self._turns():
            result = await accompanied_in(self.database, entered)
        if entry is not None:
            self._tell(entry)
        return result

    def _tell(self, entry: MongoEntry) -> None:
        self._announced.rise(entry.announced)
        self._revoked.rise(entry.revoked)
        if entry.mailed:
            self._mailed.ring()

    @asynccontextmanager
    async def _turns(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.database.patience):
                await self._turn.acquire()
        except TimeoutError as exc:
            raise StoreUnavailable("too many wait for the database") from exc
        try:
            yield
        finally:
            self._turn.release()


def mail_document(mail: OutgoingMail) -> Document:
    """A mail that waits to be passed on."""
    return {
        "_id": mail.id,
        "tenant": mail.tenant,
        "sealed": mail.sealed,
        "due_at": micros(mail.due_at),
        "expires_at": micros(mail.expires_at),
    }
