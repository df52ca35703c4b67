"""Published definitions in MongoDB: one document per version, written once."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final
from weakref import WeakValueDictionary

import msgspec
from pymongo.errors import DuplicateKeyError

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.adapters.cursors import definition_cursor, definition_place
from workflow_service.adapters.mongo.sharing import Shared
from workflow_service.application.ports import Definitions, Page, StoredDefinition
from workflow_service.domain.semver import precedence

PAGE_BYTES: Final = 2 * 1024 * 1024
"""A page ends early when its documents would have more bytes than this together."""
KEPT: Final = 512
KEPT_BYTES: Final = 16 * 1024 * 1024
"""How many versions are remembered, and how many bytes their documents may have together."""
_RANKED: Final = [("namespace", 1), ("name", 1), ("precedence", -1), ("version", -1)]


class MongoDefinitions(Definitions):
    """The ``Definitions`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase) -> None:
        self._definitions = database.collection("definitions")
        self._kept: OrderedDict[str, StoredDefinition] = OrderedDict()
        self._size = 0
        self._newest: WeakValueDictionary[str, Shared[StoredDefinition | None]] = (
            WeakValueDictionary()
        )

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        """See the port."""
        document = _document_of(definition)
        with store_errors():
            try:
                await self._definitions.insert_one(document)
            except DuplicateKeyError:
                found = await self._definitions.find_one({"_id": document["_id"]})
                return definition if found is None else _definition_of(found)
        return definition

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        """See the port."""
        place = key_of(tenant, namespace, name, version)
        if place in self._kept:
            self._kept.move_to_end(place)
            return self._kept[place]
        found = await self._first({"_id": place})
        if found is not None:
            self._keep(place, found)
        return found

    async def newest(self, tenant: str, namespace: str, name: str) -> StoredDefinition | None:
        """See the port."""
        place = key_of(tenant, namespace, name)
        which = {"tenant": tenant, "namespace": namespace, "name": name}
        shared = self._newest.setdefault(place, Shared(lambda: self._first(which)))
        return await shared()

    async def by_digest(self, tenant: str, digest: str) -> StoredDefinition | None:
        """See the port."""
        return await self._first({"tenant": tenant, "digest": digest})

    async def list(
        self,
        tenant: str,
        *,
        namespace: str | None,
        name: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[StoredDefinition]:
        """See the port."""
        wanted = {"tenant": tenant, "namespace": namespace, "name": name}
        which: Document = {key: value for key, value in wanted.items() if value is not None}
        if cursor is not None:
            which = {"$and": [which, {"$or": _behind(cursor)}]}
        items: list[StoredDefinition] = []
        total = 0
        with store_errors():
            found = self._definitions.find(which).sort(_RANKED).limit(limit + 1)
            async for definition in (_definition_of(each) async for each in found):
                total += len(definition.document)
                if len(items) == limit or (items and total > PAGE_BYTES):
                    return Page(tuple(items), definition_cursor(items[-1]))
                items.append(definition)
        return Page(tuple(items))

    def _keep(self, place: str, definition: StoredDefinition) -> None:
        """Remember a version, which never changes; those that nobody has asked for lately give room."""
        if place in self._kept:
            return
        self._kept[place] = definition
        self._size += len(definition.document)
        while self._size > KEPT_BYTES or len(self._kept) > KEPT:
            _, dropped = self._kept.popitem(last=False)
            self._size -= len(dropped.document)

    async def _first(self, which: Document) -> StoredDefinition | None:
        with store_errors():
            found = await self._definitions.find(which).sort(_RANKED).limit(1).to_list()
        return _definition_of(found[0]) if found else None


def _document_of(definition: StoredDefinition) -> Document:
    place = (definition.tenant, definition.namespace, definition.name, definition.version)
    return msgspec.structs.asdict(definition) | {
        "_id": key_of(*place),
        "precedence": precedence(definition.version),
        "created_at": micros(definition.created_at),
    }


def _definition_of(document: Document) -> StoredDefinition:
    members = {name: document[name] for name in StoredDefinition.__struct_fields__}
    return StoredDefinition(**members | {"created_at": moment_of(document["created_at"])})


def _behind(cursor: str) -> list[Document]:
    namespace, name, version = definition_place(cursor)
    rank = precedence(version)
    same = {"namespace": namespace, "name": name}
    return [
        {"namespace": {"$gt": namespace}},
        {"namespace": namespace, "name": {"$gt": name}},
        same | {"precedence": {"$lt": rank}},
        same | {"precedence": rank, "version": {"$lt": version}},
    ]
