"""Executions that tasks of other executions run, in MongoDB."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chassis.storage.mongo import MongoDatabase, store_errors
from workflow_service.adapters.mongo.documents import summary_of
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.payloads import fetching_of
from workflow_service.application.children_ports import OpenChild
from workflow_service.application.ports import Summary
from workflow_service.domain.execution.origin import ParentTask

_parent = msgspec.json.Decoder(ParentTask)


class MongoChildren:
    """The ``Children`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase, journal: Journal) -> None:
        self._journal = journal
        self._database = database
        self._executions = database.collection("executions")

    async def ended_among(self, executions: Sequence[str]) -> Sequence[Summary]:
        """Return those of *executions* that have ended."""
        await self._journal.barrier.settle()
        which = {"_id": {"$in": list(executions)}, "ended_at": {"$gt": 0}}
        with store_errors():
            found = await self._executions.find(which).to_list()
        fetching = await fetching_of(self._database, found)
        return [summary_of(each, fetching) for each in found]

    async def open_children(self, after: str, limit: int) -> Sequence[OpenChild]:
        """Return executions of tasks that have not ended, ordered by id, those above *after*."""
        await self._journal.barrier.settle()
        members = {"tenant": 1, "owner": 1, "origin": 1}
        with store_errors():
            cursor = self._executions.find({"child": {"$gt": after}}, members).sort("child")
            found = await cursor.limit(limit).to_list()
        return [
            OpenChild(each["_id"], each["tenant"], each["owner"], _parent.decode(each["origin"]))
            for each in found
        ]
