"""Histories as they are read: commits, and the events in them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from chassis.storage.mongo import Document, MongoDatabase, store_errors
from workflow_service.adapters.columns import moment_of
from workflow_service.adapters.event_codec import decode_events, events_from
from workflow_service.adapters.mongo.parts import taken_back
from workflow_service.adapters.mongo.payloads import LargeValues, values_of
from workflow_service.application.ports import Recorded

READ_BYTES: Final = 2 * 1024 * 1024
"""Bytes of events that one reading of a history takes at the most, unless its first one alone has more."""
_COMMITS: Final = 200
"""How many commits are read at a time."""


async def all_events(
    database: MongoDatabase, execution: str, after: int, to: int
) -> list[Recorded]:
    """Return the events above *after*, which is where a commit ends, up to *to*."""
    found: list[Recorded] = []
    async for page in _pages(database, execution, after, to):
        large = await _large(database, page)
        for commit in page:
            taken_out = large.taken_out(execution, commit["references"])
            data = await events_data(database, commit)
            events = decode_events(data, commit["version"], taken_out=taken_out)
            moment = moment_of(commit["at"])
            found += [Recorded(n, moment, event) for n, event in enumerate(events, commit["first"])]
    return found


async def some_events(
    database: MongoDatabase, execution: str, after: int, limit: int
) -> list[Recorded]:
    """Return the events above *after*, *limit* or ``READ_BYTES`` at the most."""
    found: list[Recorded] = []
    size = 0
    async for page in _pages(database, execution, after, None):
        for commit in page:
            large = await _large(database, [commit])
            skip = max(0, after + 1 - commit["first"])
            moment = moment_of(commit["at"])
            taken_out = large.taken_out(execution, commit["references"])
            data = await events_data(database, commit)
            events = events_from(data, commit["version"], skip, taken_out)
            for sequence, (event, bytes_of_it) in enumerate(events, commit["first"] + skip):
                size += bytes_of_it
                if found and size > READ_BYTES:
                    return found
                found.append(Recorded(sequence, moment, event))
                if len(found) >= limit:
                    return found
    return found


async def events_data(database: MongoDatabase, commit: Document) -> bytes:
    """Return the events of a commit as they were encoded, put together if they were stored in parts."""
    token = commit.get("token")
    if token is None:
        data: bytes = commit["events"]
        return data
    return await taken_back(database, token)


async def _pages(
    database: MongoDatabase, execution: str, after: int, to: int | None
) -> AsyncIterator[Sequence[Document]]:
    while True:
        last: Document = {"$gt": after} if to is None else {"$gt": after, "$lte": to}
        which = {"execution": execution, "last": last}
        with store_errors():
            commits = database.collection("commits")
            page = await commits.find(which).sort("last").limit(_COMMITS).to_list()
        if page:
            yield page
        if len(page) < _COMMITS:
            return
        after = page[-1]["last"]
        await asyncio.sleep(0)


async def _large(database: MongoDatabase, commits: Sequence[Document]) -> LargeValues:
    return await values_of(
        database, [(commit["execution"], commit["references"]) for commit in commits]
    )
