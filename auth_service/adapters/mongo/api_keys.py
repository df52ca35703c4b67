"""API keys on MongoDB."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pymongo import UpdateOne

from auth_service.adapters.mongo.api_key_documents import (
    key_document,
    key_from,
    secret_document,
    secret_from,
    terms_document,
)
from auth_service.adapters.mongo.documents import user_from
from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.mongo.users import hold_user
from auth_service.adapters.times import micros
from auth_service.application.ports import Change, FoundKey, KeyPage
from auth_service.domain.api_key import (
    LIVE_SECRETS,
    ApiKey,
    KeySecret,
    KeyTerms,
    KeyUsage,
)
from auth_service.domain.events import AccountFact
from chassis.storage.mongo import Collection, Document, store_errors

_SILENT: Final = timedelta(days=1)
"""After which a reporter is forgotten: none waits nearly as long before it tells something again."""

_KEYS: Final = "api_keys"
_SECRETS: Final = "api_key_secrets"
_USAGE: Final = "api_key_usage"
_REPORTERS: Final = "api_key_reporters"


class MongoApiKeys:
    """The port `ApiKeys`.

    What is beside a key is written in transactions that write the key as well, and so none outlives it.
    """

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger

    async def add(self, key: ApiKey, secret: KeySecret, *, most: int, event: AccountFact) -> bool:
        """See the port.

        Raises:
            UserNotFound: its owner has been erased.
        """

        async def work(entry: MongoEntry) -> bool:
            await hold_user(entry, key.owner)
            keys = entry.collection(_KEYS)
            if await keys.count_documents({"owner": key.owner}, session=entry.session) >= most:
                return False
            await keys.insert_one(key_document(key), session=entry.session)
            await _add_secret(entry, key.id, 1, secret)
            entry.announce(event)
            return True

        return await self._ledger.write(work)

    async def change(self, key_id: str, terms: KeyTerms, at: datetime, change: Change) -> bool:
        """See the port."""
        values = {**terms_document(terms), "updated_at": micros(at)}

        async def work(entry: MongoEntry) -> bool:
            return await _changed(entry, key_id, values, change)

        return await self._ledger.write(work)

    async def rotate(
        self,
        key_id: str,
        secret: KeySecret,
        *,
        overlap_ends: datetime,
        change: Change,
        event: AccountFact,
    ) -> bool:
        """See the port."""

        async def work(entry: MongoEntry) -> bool:
            renewed = {"updated_at": micros(secret.created_at)}
            if not await _changed(entry, key_id, renewed, change):
                return False
            newest = await _newest_generation(entry, key_id)
            await _end(entry, key_id, newest, overlap_ends)
            await _add_secret(entry, key_id, newest + 1, secret)
            oldest = {"key_id": key_id, "generation": {"$lte": newest + 1 - LIVE_SECRETS}}
            await entry.collection(_SECRETS).delete_many(oldest, session=entry.session)
            entry.announce(event)
            return True

        return await self._ledger.write(work)

    async def delete(self, tenant: str, owner: str | None, key_id: str, change: Change) -> bool:
        """See the port."""

        async def work(entry: MongoEntry) -> bool:
            theirs = {"_id": key_id, **_theirs(tenant, owner)}
            deleted = await entry.collection(_KEYS).delete_one(theirs, session=entry.session)
            if deleted.deleted_count != 1:
                return False
            await _drop_beside(entry, [key_id])
            entry.revoke(change)
            return True

        return await self._ledger.write(work)

    async def find(self, tenant: str, owner: str | None, key_id: str) -> ApiKey | None:
        """See the port."""
        with store_errors():
            found = await self._collection(_KEYS).find_one(
                {"_id": key_id, **_theirs(tenant, owner)}
            )
            keys = [] if found is None else await self._completed([found])
        return keys[0] if keys else None

    async def list(
        self, tenant: str, owner: str | None, *, limit: int, cursor: str | None
    ) -> KeyPage:
        """See the port. A cursor is the id of the last key before it; ids ascend with time."""
        which = _theirs(tenant, owner)
        if cursor is not None:
            which["_id"] = {"$lt": cursor}
        with store_errors():
            found = self._collection(_KEYS).find(which).sort("_id", -1).limit(limit + 1)
            documents = await found.to_list()
            keys = await self._completed(documents[:limit])
        return KeyPage(keys, documents[limit - 1]["_id"] if len(documents) > limit else None)

    async def find_by_prefix(self, prefix: str) -> FoundKey | None:
        """See the port."""
        with store_errors():
            secret = await self._collection(_SECRETS).find_one({"_id": prefix})
            if secret is None:
                return None
            key = await self._collection(_KEYS).find_one({"_id": secret["key_id"]})
            if key is None:
                return None
            owner = await self._collection("users").find_one({"_id": key["owner"]})
            usage = await self._collection(_USAGE).find_one({"_id": key["_id"]})
        if owner is None:
            return None
        return FoundKey(key_from(key, prefix, usage), secret_from(secret), user_from(owner))

    async def record(self, reporter: str, sequence: int, uses: Sequence[KeyUsage]) -> None:
        """See the port."""
        at = max((micros(use.at) for use in uses), default=0)

        async def work(entry: MongoEntry) -> None:
            reporters, this = entry.collection(_REPORTERS), {"_id": reporter}
            last = await reporters.find_one(this, session=entry.session)
            if last is not None and last["sequence"] >= sequence:
                return
            report = {"$set": {"sequence": sequence, "reported_at": at}}
            await reporters.update_one(this, report, upsert=True, session=entry.session)
            await _count(entry, uses)

        await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See the port."""
        silent = {"reported_at": {"$lte": micros(now - _SILENT)}}
        with store_errors():
            await self._collection(_SECRETS).delete_many({"ends_at": {"$lte": micros(now)}})
            await self._collection(_REPORTERS).delete_many(silent)

    def _collection(self, name: str) -> Collection:
        return self._ledger.database.collection(name)

    async def _completed(self, documents: Sequence[Document]) -> Sequence[ApiKey]:
        """The keys with what is beside them; those that have just been deleted are left out."""
        ids = [each["_id"] for each in documents]
        secrets = self._collection(_SECRETS).find({"key_id": {"$in": ids}}).sort("generation")
        prefixes = {each["key_id"]: each["_id"] async for each in secrets}
        found = self._collection(_USAGE).find({"_id": {"$in": ids}})
        usage = {each["_id"]: each async for each in found}
        return [
            key_from(each, prefixes[each["_id"]], usage.get(each["_id"]))
            for each in documents
            if each["_id"] in prefixes
        ]


async def drop_keys(entry: MongoEntry, owner: str) -> None:
    """Drop every key of *owner*, who is being erased."""
    keys = entry.collection(_KEYS)
    found = await keys.find({"owner": owner}, {"_id": 1}, session=entry.session).to_list()
    await keys.delete_many({"owner": owner}, session=entry.session)
    await _drop_beside(entry, [each["_id"] for each in found])


async def _drop_beside(entry: MongoEntry, ids: Sequence[str]) -> None:
    """Drop what belongs to keys that are gone."""
    which = {"$in": list(ids)}
    await entry.collection(_SECRETS).delete_many({"key_id": which}, session=entry.session)
    await entry.collection(_USAGE).delete_many({"_id": which}, session=entry.session)


async def _changed(
    entry: MongoEntry, key_id: str, values: Mapping[str, object], change: Change
) -> bool:
    """Whether there is such a key; then it has *values*, and everybody is to hear of it."""
    changed = await entry.collection(_KEYS).update_one(
        {"_id": key_id}, {"$set": values}, session=entry.session
    )
    if changed.matched_count != 1:
        return False
    entry.revoke(change)
    return True


async def _newest_generation(entry: MongoEntry, key_id: str) -> int:
    found = await entry.collection(_SECRETS).find_one(
        {"key_id": key_id}, sort=[("generation", -1)], session=entry.session
    )
    return 0 if found is None else int(found["generation"])


async def _end(entry: MongoEntry, key_id: str, generation: int, ends: datetime) -> None:
    """The secret ends at *ends*, unless it ends earlier."""
    later = {"$or": [{"ends_at": None}, {"ends_at": {"$gt": micros(ends)}}]}
    await entry.collection(_SECRETS).update_one(
        {"key_id": key_id, "generation": generation, **later},
        {"$set": {"ends_at": micros(ends)}},
        session=entry.session,
    )


async def _add_secret(entry: MongoEntry, key_id: str, generation: int, secret: KeySecret) -> None:
    await entry.collection(_SECRETS).insert_one(
        secret_document(key_id, generation, secret), session=entry.session
    )


async def _count(entry: MongoEntry, uses: Sequence[KeyUsage]) -> None:
    """Count *uses* of keys that are there, and stay until this transaction ends."""
    known = {"_id": {"$in": [use.key_id for use in uses]}}
    keys = entry.collection(_KEYS)
    await keys.update_many(known, {"$inc": {"turn": 1}}, session=entry.session)
    there = {each["_id"] async for each in keys.find(known, {"_id": 1}, session=entry.session)}
    counted = [
        UpdateOne(
            {"_id": use.key_id},
            {"$inc": {"uses": use.count}, "$max": {"last_used_at": micros(use.at)}},
            upsert=True,
        )
        for use in uses
        if use.key_id in there
    ]
    if counted:
        await entry.collection(_USAGE).bulk_write(counted, session=entry.session)


def _theirs(tenant: str, owner: str | None) -> Document:
    return {"tenant": tenant} if owner is None else {"tenant": tenant, "owner": owner}
