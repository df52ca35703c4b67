"""Executions as lists show them, in MongoDB."""

from __future__ import annotations

from typing import Final

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import OF_SCHEDULE, maybe_micros
from workflow_service.adapters.cursors import execution_cursor, execution_place
from workflow_service.adapters.mongo.documents import size_of, summary_of
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.payloads import fetching_of
from workflow_service.application.ports import ExecutionFilter, Page, Summary

PAGE_BYTES: Final = 2 * 1024 * 1024
"""How many bytes of inputs and outputs a page may have; it then has fewer items than were asked for."""


class MongoSummaries:
    """The ``Summaries`` port on a ``MongoDatabase``."""

    def __init__(self, database: MongoDatabase, journal: Journal) -> None:
        self._journal = journal
        self._database = database
        self._executions = database.collection("executions")

    async def get(self, tenant: str, execution: str) -> Summary | None:
        """Return one."""
        await self._journal.barrier.derive(execution)
        with store_errors():
            found = await self._executions.find_one({"_id": execution})
        if found is None or found["tenant"] != tenant:
            return None
        return summary_of(found, await fetching_of(self._database, [found]))

    async def list(self, wanted: ExecutionFilter, limit: int, cursor: str | None) -> Page[Summary]:
        """Return those that match, newest first.

        Raises:
            Invalid: *cursor* is not one that a list returned.
        """
        await self._journal.barrier.settle()
        which = _which(wanted)
        if cursor is not None:
            created_at, execution = execution_place(cursor)
            same = {"created_at": created_at, "_id": {"$lt": execution}}
            which["$or"] = [same, {"created_at": {"$lt": created_at}}]
        shown: list[Document] = []
        total, more = 0, False
        with store_errors():
            found = self._executions.find(which).sort([("created_at", -1), ("_id", -1)])
            async for each in found.limit(limit + 1).batch_size(min(limit + 1, 100)):
                total += size_of(each)
                more = len(shown) == limit or (bool(shown) and total > PAGE_BYTES)
                if more:
                    break
                shown.append(each)
        fetching = await fetching_of(self._database, shown)
        items = tuple(summary_of(each, fetching) for each in shown)
        return Page(items, execution_cursor(items[-1]) if more else None)


def _which(wanted: ExecutionFilter) -> Document:
    which: Document = {"tenant": wanted.tenant}
    for name in ("owner", "namespace", "name", "version", "parent"):
        value = getattr(wanted, name)
        if value is not None:
            which[name] = value
    if wanted.statuses:
        which["status"] = {"$in": list(wanted.statuses)}
    if wanted.schedule is not None:
        which["parent"] = f"{OF_SCHEDULE}{wanted.schedule}"
    if wanted.tag is not None:
        which |= {"tags": wanted.tag, "tagged": {"$gt": 0}}
    begin, end = maybe_micros(wanted.created_from), maybe_micros(wanted.created_to)
    # Both ends count; whole numbers are between their neighbours.
    bounds = {"$gt": begin and begin - 1, "$lt": end and end + 1}
    if given := {name: value for name, value in bounds.items() if value is not None}:
        which["created_at"] = given
    return which
