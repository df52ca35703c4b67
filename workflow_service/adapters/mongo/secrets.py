"""Secrets and the keys of tenants in MongoDB: nothing here can be read without the operator's key.

A secret and the mark of its last version are one document, which stays when the secret is deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.application.vault.errors import TooManySecrets
from workflow_service.application.vault.ports import (
    SecretId,
    SecretRecord,
    SecretRecords,
    TenantKeys,
    VersionMark,
    WrappedKey,
)

_THERE: Final = {"sealed": {"$exists": True}}
_RECORD: Final = ("version", "sealed", "updated_at", "updated_by")


class MongoTenantKeys(TenantKeys):
    """The ``TenantKeys`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase) -> None:
        self._keys = database.collection("tenant_keys")

    async def get(self, tenant: str) -> WrappedKey | None:
        """See the port."""
        with store_errors():
            found = await self._keys.find_one({"_id": tenant})
        return None if found is None else _key_of(found)

    async def add(self, key: WrappedKey) -> WrappedKey:
        """See the port."""
        document = {"_id": key.tenant, "wrapped_by": key.wrapped_by, "sealed": key.sealed}
        with store_errors():
            try:
                await self._keys.insert_one(document)
            except DuplicateKeyError:
                return await self.get(key.tenant) or key
        return key

    async def rewrap(self, old: WrappedKey, new: WrappedKey) -> None:
        """See the port."""
        change = {"$set": {"wrapped_by": new.wrapped_by, "sealed": new.sealed}}
        with store_errors():
            await self._keys.update_one({"_id": old.tenant, "sealed": old.sealed}, change)

    async def wrapped_by_others(self, current: str, limit: int) -> Sequence[WrappedKey]:
        """See the port."""
        with store_errors():
            found = self._keys.find({"wrapped_by": {"$ne": current}}).limit(limit)
            return [_key_of(each) for each in await found.to_list()]


class MongoSecrets(SecretRecords):
    """The ``SecretRecords`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase) -> None:
        self._secrets = database.collection("secrets")

    async def find(
        self, tenant: str, owner: str, names: Sequence[str]
    ) -> Sequence[tuple[SecretRecord, VersionMark | None]]:
        """See the port."""
        keys = [key_of(tenant, whose, name) for name in names for whose in ("", owner)]
        with store_errors():
            found = await self._secrets.find({"_id": {"$in": keys}, **_THERE}).to_list()
        return [(_record_of(each), _mark_of(each)) for each in found]

    async def last_version(self, id: SecretId) -> int:
        """See the port."""
        found = await self._one(id)
        return 0 if found is None else int(found["mark"])

    async def put(self, record: SecretRecord, mark: VersionMark, *, most: int) -> bool:
        """See the port; when several are put at the same moment, more may be refused than had to be."""
        before = await self._one(record.id)
        if not await self._marked(record.id, mark, {"$set": _values_of(record)}):
            return False
        if before is not None and "sealed" in before:
            return True
        which = {"tenant": record.id.tenant, **_THERE}
        with store_errors():
            if await self._secrets.count_documents(which, limit=most + 1) <= most:
                return True
            await self._undo(record.id, mark, before)
        raise TooManySecrets(most)

    async def delete(self, id: SecretId, mark: VersionMark) -> bool:
        """See the port."""
        there = await self._one(id)
        gone = await self._marked(id, mark, {"$unset": dict.fromkeys(_RECORD, "")})
        return gone and there is not None and "sealed" in there

    async def list(
        self, tenant: str, owner: str, limit: int, after: tuple[str, str] | None
    ) -> Sequence[SecretRecord]:
        """See the port."""
        which: Document = {"tenant": tenant, "owner": {"$in": ["", owner]}, **_THERE}
        if after is not None:
            name, last = after
            same = {"name": name, "$and": [{"owner": {"$lt": last}}]}
            which["$or"] = [{"name": {"$gt": name}}, same]
        with store_errors():
            found = self._secrets.find(which).sort([("name", 1), ("owner", -1)]).limit(limit)
            return [_record_of(each) for each in await found.to_list()]

    async def _one(self, id: SecretId) -> Document | None:
        with store_errors():
            return await self._secrets.find_one({"_id": _id_of(id)})

    async def _marked(self, id: SecretId, mark: VersionMark, change: Document) -> bool:
        """Make *change* and set the mark, if its version follows on the last one."""
        members = {"mark": mark.version, "tag": mark.tag}
        with store_errors():
            if mark.version == 1:
                return await self._begun(id, change.get("$set", {}) | members)
            which = {"_id": _id_of(id), "mark": mark.version - 1}
            change = change | {"$set": change.get("$set", {}) | members}
            return (await self._secrets.update_one(which, change)).matched_count == 1

    async def _begun(self, id: SecretId, members: Document) -> bool:
        names = {"tenant": id.tenant, "owner": id.owner, "name": id.name}
        try:
            await self._secrets.insert_one({"_id": _id_of(id), **names, **members})
        except DuplicateKeyError:
            return False
        return True

    async def _undo(self, id: SecretId, mark: VersionMark, before: Document | None) -> None:
        which = {"_id": _id_of(id), "mark": mark.version}
        if before is None:
            await self._secrets.delete_one(which)
        else:
            await self._secrets.replace_one(which, before)


def _id_of(id: SecretId) -> str:
    return key_of(id.tenant, id.owner, id.name)


def _key_of(document: Document) -> WrappedKey:
    return WrappedKey(document["_id"], document["wrapped_by"], document["sealed"])


def _values_of(record: SecretRecord) -> dict[str, Any]:
    return {
        "version": record.version,
        "sealed": record.sealed,
        "updated_at": micros(record.updated_at),
        "updated_by": record.updated_by,
    }


def _record_of(document: Document) -> SecretRecord:
    return SecretRecord(
        id=SecretId(document["tenant"], document["owner"], document["name"]),
        version=document["version"],
        sealed=document["sealed"],
        updated_at=moment_of(document["updated_at"]),
        updated_by=document["updated_by"],
    )


def _mark_of(document: Document) -> VersionMark:
    return VersionMark(document["mark"], document["tag"])
