"""How each kind of records is kept in the collections."""

from collections.abc import Sequence
from typing import Final

from chassis.storage.copying.documents import Documents, Shelf, put_all, some
from chassis.storage.copying.outboxes import OutboxDocuments
from chassis.storage.copying.records import RECORDS, Cursor, Kind, Page, Record
from chassis.storage.keys import key_of, parts_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from notification_service.adapters import copied as kinds

_LETTERS: Final = "dead_letters"
_MEMBERS: Final = {
    "user_id": "user",
    "notification_id": "notification",
    "number_of_user": "position",
}


class SequenceShelf:
    """The last position among the dead letters, which a counter has."""

    kind = kinds.SEQUENCES

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        return 1

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        with store_errors():
            found = await database.collection("counters").find_one({"_id": _LETTERS})
        records: list[Record] = [(_LETTERS, 0 if found is None else found["last"])]
        return Page([] if after else records, (_LETTERS,), more=False)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        counters = [{"_id": name, "last": last} for name, last in records]
        await put_all(database.collection("counters"), counters)


class AttemptShelf:
    """Attempts, recipient by recipient."""

    kind = kinds.ATTEMPTS

    async def count(self, database: MongoDatabase) -> int:
        """See `Shelf`."""
        with store_errors():
            return await database.collection(self.kind.name).count_documents({})

    async def read(self, database: MongoDatabase, after: Cursor) -> Page:
        """See `Shelf`."""
        which: Document = {}
        if after:
            tenant, user, position = after
            which["$or"] = [
                {"tenant": tenant, "user": user, "position": {"$gt": position}},
                {"tenant": tenant, "user": {"$gt": user}},
                {"tenant": {"$gt": tenant}},
            ]
        order = [("tenant", 1), ("user", 1), ("position", 1)]
        with store_errors():
            found = database.collection(self.kind.name).find(which).sort(order).limit(RECORDS)
            documents, more = await some(found)
        records = [_record(self.kind, each) for each in documents]
        return Page(records, records[-1][1:4] if records else after, more)

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        documents = [_document(self.kind, record) for record in records]
        await put_all(database.collection(self.kind.name), documents)


def _document(kind: Kind, record: Record) -> Document:
    told = dict(zip(kind.columns[1:], record[1:], strict=True))
    return {"_id": record[0]} | {_MEMBERS.get(name, name): each for name, each in told.items()}


def _record(kind: Kind, document: Document) -> Record:
    members = (_MEMBERS.get(name, name) for name in kind.columns[1:])
    return (document["_id"], *(document.get(name) for name in members))


def _notification_document(record: Record) -> Document:
    document = _document(kinds.NOTIFICATIONS, record)
    if document["read_at"] is None:
        del document["read_at"]
        document["unread"] = 1
    return document


def _mail_document(record: Record) -> Document:
    document = _document(kinds.MAILS, record)
    if document["sealed"] is None:
        del document["sealed"]
        document["sent"] = 1
    return document


def _letter_document(record: Record) -> Document:
    document = _document(kinds.DEAD_LETTERS, record)
    return document | {"redrivable": bool(document["redrivable"])}


def _letter_record(document: Document) -> Record:
    redrivable = int(document["redrivable"])
    return _record(kinds.DEAD_LETTERS, document | {"redrivable": redrivable})


def _queue_document(record: Record) -> Document:
    notification, channel, tenant, user, attempts, due_at = record
    return {
        "_id": key_of(str(notification), str(channel)),
        "notification": notification,
        "channel": channel,
        "tenant": tenant,
        "user": user,
        "attempts": attempts,
        "due_at": due_at,
    }


def _queue_record(document: Document) -> Record:
    return tuple(document[_MEMBERS.get(name, name)] for name in kinds.QUEUE.columns)


def _of_recipient(kind: Kind, *flags: str) -> Documents:
    """Of what a recipient has one of, whose tenant and user are the key."""
    names = kind.columns[2:]

    def document_of(record: Record) -> Document:
        tenant, user = str(record[0]), str(record[1])
        told = dict(zip(names, record[2:], strict=True))
        told |= {name: bool(told[name]) for name in flags}
        return {"_id": key_of(tenant, user), "tenant": tenant, "user": user, **told}

    def record_of(document: Document) -> Record:
        values = ((name, document[name]) for name in names)
        told = [int(value) if name in flags else value for name, value in values]
        return (*parts_of(document["_id"]), *told)

    return Documents(kind=kind, document_of=document_of, record_of=record_of)


SHELVES: Final[Sequence[Shelf]] = (
    SequenceShelf(),
    Documents(
        kind=kinds.SETTLED,
        document_of=lambda record: {"_id": key_of(*map(str, record))},
        record_of=lambda document: parts_of(document["_id"]),
    ),
    _of_recipient(kinds.CONTACTS),
    _of_recipient(kinds.PREFERENCES, "email"),
    Documents(
        kind=kinds.NOTIFICATIONS,
        document_of=_notification_document,
        record_of=lambda document: _record(kinds.NOTIFICATIONS, document),
    ),
    AttemptShelf(),
    _of_recipient(kinds.INBOXES),
    Documents(kind=kinds.QUEUE, document_of=_queue_document, record_of=_queue_record),
    Documents(
        kind=kinds.MAILS,
        document_of=_mail_document,
        record_of=lambda document: _record(kinds.MAILS, document),
    ),
    Documents(kind=kinds.DEAD_LETTERS, document_of=_letter_document, record_of=_letter_record),
    OutboxDocuments(),
)
"""In the order in which they are written."""
