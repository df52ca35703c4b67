"""How many documents the store has when everything has ended, so that what nobody takes away again is seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo import AsyncMongoClient

WARM: Final = 2
"""Counts before the first one that is compared with."""
MOST: Final = 0.1
"""Documents of what is passing that may stay behind for each execution: a sweep may be a moment away."""
PASSING: Final = frozenset(
    {"audit_outbox", "checkpoints", "delivery_queue", "derived", "nodes", "outbox_checkpoints"}
)
"""Collections of what is there only while something is under way."""


@dataclass(frozen=True, slots=True)
class Count:
    """Documents by their collection, and how many executions there had been."""

    executions: int
    documents: Mapping[str, int]


@dataclass(slots=True)
class Stored:
    """One count after the other."""

    counts: list[Count] = field(default_factory=list)

    def per_execution(self) -> dict[str, float]:
        """By how many documents each collection grew with an execution, once it had warmed up."""
        judged = self.counts[WARM:]
        if len(judged) < 2:
            return {}
        first, last = judged[0], judged[-1]
        executions = max(1, last.executions - first.executions)
        return {
            name: (count - first.documents.get(name, 0)) / executions
            for name, count in last.documents.items()
        }

    def growing(self) -> list[str]:
        """What should have been taken away again, in words."""
        shares = self.per_execution()
        return [
            f"the store keeps {share:.2f} of {name} for each execution"
            for name, share in shares.items()
            if share > MOST and name.rpartition(".")[2] in PASSING
        ]


async def count(url: str, executions: int) -> Count:
    """Every collection of the suite's databases at *url*."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url, directConnection=True)
    documents: dict[str, int] = {}
    async with client:
        for name in await client.list_database_names():
            if name.startswith("suite"):
                for collection in await client[name].list_collection_names():
                    place = f"{name.removeprefix('suite_')}.{collection}"
                    documents[place] = await client[name][collection].count_documents({})
    return Count(executions, documents)


def sums(counts: Sequence[Count]) -> list[int]:
    """All documents of each count."""
    return [sum(each.documents.values()) for each in counts]
