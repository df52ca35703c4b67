"""Open executions by the definition that they are pinned to, in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.application.deployment_ports import OpenCount


class MongoOpenOfDefinitions:
    """The ``OpenOfDefinitions`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase, journal: Journal) -> None:
        self._journal = journal
        self._executions = database.collection("executions")

    async def count(
        self, tenant: str, owner: str | None, namespace: str, name: str
    ) -> Sequence[OpenCount]:
        """See the port."""
        await self._journal.barrier.settle()
        kind = {"version": "$version", "digest": "$digest", "status": "$status"}
        steps = [
            {"$match": _open(tenant, owner, namespace, name)},
            {"$group": {"_id": kind, "executions": {"$sum": 1}}},
        ]
        with store_errors():
            groups = await (await self._executions.aggregate(steps)).to_list()
        found = [OpenCount(**each["_id"], executions=each["executions"]) for each in groups]
        return sorted(found, key=lambda each: (each.version, each.digest, each.status))

    async def some(
        self, tenant: str, owner: str | None, definition: tuple[str, str, str], limit: int
    ) -> Sequence[str]:
        """See the port."""
        await self._journal.barrier.settle()
        namespace, name, digest = definition
        which = _open(tenant, owner, namespace, name) | {"digest": digest}
        with store_errors():
            found = (
                await self._executions.find(which, {"_id": 1}).sort("_id").limit(limit).to_list()
            )
        return [each["_id"] for each in found]


def _open(tenant: str, owner: str | None, namespace: str, name: str) -> Document:
    which: Document = {
        "open": {"$gt": 0},
        "tenant": tenant,
        "namespace": namespace,
        "name": name,
    }
    return which if owner is None else which | {"owner": owner}
