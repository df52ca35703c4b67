"""How each kind of records is kept in the collections.

What says whether a write is still due, `position`, is that of the end of the log: all that is written later is later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from chassis.storage.copying.documents import Documents, FoundDocuments, Shelf, put_all
from chassis.storage.copying.outboxes import OutboxDocuments
from chassis.storage.copying.records import Kind, Record
from chassis.storage.keys import key_of, parts_of
from chassis.storage.mongo import Document, MongoDatabase
from workflow_service.adapters import copied as kinds
from workflow_service.adapters.columns import decode_json, forms_of
from workflow_service.adapters.mongo.copied_commits import CommitShelf
from workflow_service.adapters.mongo.copied_log import OutboxShelf, SequenceShelf, end_of
from workflow_service.adapters.mongo.copied_payloads import PayloadShelf
from workflow_service.domain.execution.origin import Origin, ParentTask

_NAMES: Final[Mapping[str, str]] = {"execution": "_id", "tags": "given_tags"}
_SNAPSHOT: Final = ("_id", "sequence", "version", "state", "references")
_origin: msgspec.json.Decoder[Origin] = msgspec.json.Decoder(Origin)


def _execution_document(record: Record, end: int) -> Document:
    told = dict(zip(kinds.EXECUTIONS.columns, record, strict=True))
    node, busy, origin, given = (told.pop(each) for each in ("node", "busy", "origin", "tags"))
    tags = forms_of(decode_json(given)) if isinstance(given, bytes) else []
    task = isinstance(origin, bytes) and isinstance(_origin.decode(origin), ParentTask)
    is_open = told["ended_at"] is None
    values = {_NAMES.get(name, name): value for name, value in told.items()} | {
        "given_tags": given,
        "tags": tags or None,
        "tagged": 1 if tags else None,
        "origin": origin,
        "child": told["execution"] if task and is_open else None,
        "nodes": [node] if busy else [],
        "busy": 1 if busy else None,
        "open": 1 if is_open else None,
        "position": end,
    }
    return {name: value for name, value in values.items() if value is not None}


def _execution_record(document: Document) -> Record:
    nodes = document["nodes"] if document.get("busy") else []
    told = document | {
        "execution": document["_id"],
        "tags": document.get("given_tags"),
        "busy": document.get("busy", 0),
        "node": min(nodes, default=""),
    }
    return tuple(told.get(name) for name in kinds.EXECUTIONS.columns)


def _use_document(record: Record) -> Document:
    execution, digest, tenant = map(str, record)
    key, payload = key_of(execution, digest), key_of(tenant, digest)
    return {"_id": key, "execution": execution, "payload": payload}


def _use_record(document: Document) -> Record:
    tenant, digest = parts_of(document["payload"])
    return (document["execution"], digest, tenant)


def _schedule_document(record: Record) -> Document:
    told = dict(zip(kinds.SCHEDULES.columns, record, strict=True))
    told["listens"] = told["listens"] or None
    present = {name: value for name, value in told.items() if value is not None}
    return {"_id": key_of(*map(str, record[:3])), **present}


def _schedule_record(document: Document) -> Record:
    told = {"listens": 0, "due_at": None, **document}
    return tuple(told[name] for name in kinds.SCHEDULES.columns)


class ExecutionShelf(FoundDocuments):
    """Executions, and that the processes which left some of them busy are gone."""

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        end = await end_of(database)
        documents = [_execution_document(record, end) for record in records]
        gone = {node for each in documents if "busy" in each for node in each["nodes"]}
        # Without a time, which would let them be forgotten before somebody takes their work over.
        nodes: list[Document] = [{"_id": node, "count": 0} for node in sorted(gone)]
        await put_all(database.collection("nodes"), nodes)
        await put_all(database.collection("executions"), documents)


@dataclass(frozen=True, kw_only=True)
class Placed(Documents):
    """Records whose documents say up to which position they are current."""

    async def write(self, database: MongoDatabase, records: Sequence[Record]) -> None:
        """See `Shelf`."""
        position = {"position": await end_of(database)}
        documents = [self.document_of(record) | position for record in records]
        await put_all(self.found_in(database), documents)


def _plain(kind: Kind, *key: str, collection: str = "") -> Documents:
    """Of a kind whose values are members, below a key that is made of some of them."""

    def document_of(record: Record) -> Document:
        told = dict(zip(kind.columns, record, strict=True))
        present = {name: value for name, value in told.items() if value is not None}
        return {"_id": key_of(*(str(told[name]) for name in key)), **present}

    def record_of(document: Document) -> Record:
        return tuple(document.get(name) for name in kind.columns)

    return Documents(kind=kind, document_of=document_of, record_of=record_of, collection=collection)


def _keyed(kind: Kind, names: int, collection: str = "") -> Documents:
    """Of a kind whose first values are only in the key."""
    members = kind.columns[names:]

    def document_of(record: Record) -> Document:
        key = key_of(*map(str, record[:names]))
        return {"_id": key, **dict(zip(members, record[names:], strict=True))}

    def record_of(document: Document) -> Record:
        return (*parts_of(document["_id"]), *(document[name] for name in members))

    return Documents(kind=kind, document_of=document_of, record_of=record_of, collection=collection)


def _named(kind: Kind) -> Documents:
    """Of a kind whose first value is the key."""
    members = kind.columns[1:]

    def document_of(record: Record) -> Document:
        return {"_id": record[0], **dict(zip(members, record[1:], strict=True))}

    def record_of(document: Document) -> Record:
        return (document["_id"], *(document[name] for name in members))

    return Documents(kind=kind, document_of=document_of, record_of=record_of)


def _placed(documents: Documents, which: Document | None = None) -> Placed:
    return Placed(
        kind=documents.kind,
        document_of=documents.document_of,
        record_of=documents.record_of,
        which=which or {},
    )


SHELVES: Final[Sequence[Shelf]] = (
    SequenceShelf(),
    _plain(kinds.DEFINITIONS, *kinds.DEFINITIONS.columns[:4]),
    PayloadShelf(),
    Documents(kind=kinds.USES, document_of=_use_document, record_of=_use_record),
    ExecutionShelf(kind=kinds.EXECUTIONS, record_of=_execution_record),
    CommitShelf(),
    Documents(
        kind=kinds.SNAPSHOTS,
        document_of=lambda record: dict(zip(_SNAPSHOT, record, strict=True)),
        record_of=lambda document: tuple(document[name] for name in _SNAPSHOT),
        which={"state": {"$exists": True}},
    ),
    _named(kinds.CHECKPOINTS),
    OutboxShelf(),
    _placed(_keyed(kinds.KEYS, 3)),
    _keyed(kinds.SEEN, 3, "seen"),
    _named(kinds.INTAKE),
    _named(kinds.READERS),
    # Those that have ended stay for a while, without a tenant.
    _placed(
        _plain(kinds.SUBSCRIPTIONS, "execution", "frame", "type", "shape"),
        {"tenant": {"$exists": True}},
    ),
    Documents(
        kind=kinds.FORGOTTEN,
        document_of=lambda record: {"_id": record[0], "executions": 1},
        record_of=lambda document: (document["_id"],),
    ),
    _plain(kinds.FUNCTIONS, *kinds.FUNCTIONS.columns[:4]),
    Documents(kind=kinds.SCHEDULES, document_of=_schedule_document, record_of=_schedule_record),
    _named(kinds.TENANT_KEYS),
    _plain(kinds.SECRETS, "tenant", "owner", "name"),
    OutboxDocuments(),
)
"""In the order in which they are written."""
