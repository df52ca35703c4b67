"""Policies, in versions, on MongoDB."""

from collections.abc import Sequence
from typing import Final

from auth_service.adapters.mongo.ledger import MongoEntry, MongoLedger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.policies import Edit
from auth_service.domain.access_errors import NameTaken, PolicyNotFound, TooManyPolicies
from auth_service.domain.policies import PolicyDraft, PolicyVersion
from chassis.policies.model import Effect, Mode
from chassis.storage.keys import key_of
from chassis.storage.mongo import Collection, Document, Session, store_errors

_VERSIONS: Final = "policy_versions"
_BOOKS: Final = "policy_books"


class MongoPolicies:
    """The port `Policies`.

    Whoever writes writes the tenant's book: transactions of one tenant exclude each other, and what one has counted is so
    when it commits.
    """

    def __init__(self, ledger: MongoLedger) -> None:
        self._ledger = ledger

    async def current(self, tenant: str) -> Sequence[PolicyVersion]:
        """See the port."""
        with store_errors():
            return await _current(self._versions, tenant)

    async def tenants(self) -> Sequence[str]:
        """See the port."""
        with store_errors():
            return sorted(await self._versions.distinct("tenant"))

    async def versions(self, tenant: str, name: str) -> Sequence[PolicyVersion]:
        """See the port."""
        with store_errors():
            found = self._versions.find({"tenant": tenant, "name": name}).sort("version", -1)
            return [_version(each) async for each in found]

    async def put(
        self, draft: PolicyDraft, edit: Edit, *, create: bool, most: int
    ) -> PolicyVersion | None:
        """See the port."""

        async def work(entry: MongoEntry) -> PolicyVersion | None:
            latest = await _latest(entry, edit.tenant, draft.name)
            there = latest is not None and not latest.deleted
            if there and create:
                raise NameTaken("policy", draft.name)
            if latest is not None and there and latest.draft == draft:
                return None
            known = await _current(entry.collection(_VERSIONS), edit.tenant, entry.session)
            if not there and len(known) >= most:
                raise TooManyPolicies(most)
            number = latest.version + 1 if latest is not None else 1
            version = PolicyVersion(draft, number, edit.at, edit.actor)
            await _add(entry, edit, version)
            return version

        return await self._ledger.write(work)

    async def delete(self, name: str, edit: Edit) -> None:
        """See the port."""

        async def work(entry: MongoEntry) -> None:
            latest = await _latest(entry, edit.tenant, name)
            if latest is None or latest.deleted:
                raise PolicyNotFound(name)
            number = latest.version + 1
            gone = PolicyVersion(latest.draft, number, edit.at, edit.actor, deleted=True)
            await _add(entry, edit, gone)

        await self._ledger.write(work)

    @property
    def _versions(self) -> Collection:
        return self._ledger.database.collection(_VERSIONS)


async def _current(
    versions: Collection, tenant: str, session: Session | None = None
) -> list[PolicyVersion]:
    newest_first = {"name": 1, "version": -1}
    found = await versions.aggregate(
        [
            {"$match": {"tenant": tenant}},
            {"$sort": newest_first},
            {"$group": {"_id": "$name", "latest": {"$first": "$$ROOT"}}},
            {"$match": {"latest.deleted": 0}},
            {"$sort": {"_id": 1}},
        ],
        session=session,
    )
    return [_version(each["latest"]) async for each in found]


async def _latest(entry: MongoEntry, tenant: str, name: str) -> PolicyVersion | None:
    which = {"tenant": tenant, "name": name}
    versions, newest = entry.collection(_VERSIONS), [("version", -1)]
    found = await versions.find_one(which, sort=newest, session=entry.session)
    return None if found is None else _version(found)


async def _add(entry: MongoEntry, edit: Edit, version: PolicyVersion) -> None:
    """Within its transaction, which is the only one of its tenant by what it writes."""
    draft = version.draft
    await entry.collection(_BOOKS).update_one(
        {"_id": edit.tenant}, {"$inc": {"turn": 1}}, upsert=True, session=entry.session
    )
    await entry.collection(_VERSIONS).insert_one(
        {
            "_id": key_of(edit.tenant, draft.name, str(version.version)),
            "tenant": edit.tenant,
            "name": draft.name,
            "version": version.version,
            "description": draft.description,
            "effect": draft.effect.value,
            "mode": draft.mode.value,
            "actions": list(draft.actions),
            "condition": draft.condition,
            "created_at": micros(version.created_at),
            "created_by": version.created_by,
            "deleted": int(version.deleted),
        },
        session=entry.session,
    )
    entry.revoke(edit.change)


def _version(document: Document) -> PolicyVersion:
    draft = PolicyDraft(
        name=document["name"],
        description=document["description"],
        effect=Effect(document["effect"]),
        mode=Mode(document["mode"]),
        actions=tuple(document["actions"]),
        condition=document["condition"],
    )
    return PolicyVersion(
        draft,
        document["version"],
        moment(document["created_at"]),
        document["created_by"],
        deleted=bool(document["deleted"]),
    )
