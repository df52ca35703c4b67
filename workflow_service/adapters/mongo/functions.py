"""Functions that workers have declared, in MongoDB: one document per version and owner."""

from __future__ import annotations

from collections.abc import Sequence

from pymongo import UpdateOne

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import micros, moment_of
from workflow_service.application.ports import FunctionRecord, Functions


class MongoFunctions(Functions):
    """The ``Functions`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase) -> None:
        self._functions = database.collection("functions")

    async def declare(self, functions: Sequence[FunctionRecord], most: int) -> bool:
        """See the port; when workers declare at the same moment, both may be refused."""
        if not functions:
            return True
        with store_errors():
            result = await self._functions.bulk_write([_change_of(each) for each in functions])
            for tenant in {function.tenant for function in functions}:
                count = await self._functions.count_documents({"tenant": tenant}, limit=most + 1)
                if count > most:
                    added = list((result.upserted_ids or {}).values())
                    await self._functions.delete_many({"_id": {"$in": added}})
                    return False
        return True

    async def names(self, tenant: str, owner: str) -> Sequence[tuple[str, str]]:
        """See the port."""
        which = {"tenant": tenant, "owner": {"$in": ["", owner]}}
        with store_errors():
            found = await self._functions.find(which, {"name": 1, "version": 1}).to_list()
        return sorted({(each["name"], each["version"]) for each in found})

    async def list(
        self, tenant: str, owner: str | None, limit: int, after: tuple[str, str, str] | None
    ) -> Sequence[FunctionRecord]:
        """See the port."""
        which: Document = {"tenant": tenant}
        if owner is not None:
            which["owner"] = {"$in": ["", owner]}
        if after is not None:
            name, version, last = after
            which["$or"] = [
                {"name": {"$gt": name}},
                {"name": name, "version": {"$gt": version}},
                {"name": name, "version": version, "$and": [{"owner": {"$gt": last}}]},
            ]
        order = [("name", 1), ("version", 1), ("owner", 1)]
        with store_errors():
            found = await self._functions.find(which).sort(order).limit(limit).to_list()
        return [_function_of(each) for each in found]


def _change_of(function: FunctionRecord) -> UpdateOne:
    key = key_of(function.tenant, function.name, function.version, function.owner)
    values = {
        "tenant": function.tenant,
        "name": function.name,
        "version": function.version,
        "owner": function.owner,
        "input_schema": function.input_schema,
        "output_schema": function.output_schema,
    }
    seen = {"last_seen_at": micros(function.last_seen_at)}
    return UpdateOne({"_id": key}, {"$set": values, "$max": seen}, upsert=True)


def _function_of(document: Document) -> FunctionRecord:
    return FunctionRecord(
        tenant=document["tenant"],
        owner=document["owner"],
        name=document["name"],
        version=document["version"],
        input_schema=document["input_schema"],
        output_schema=document["output_schema"],
        last_seen_at=moment_of(document["last_seen_at"]),
    )
