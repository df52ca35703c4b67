"""A process that appends until it is killed, and says what was acknowledged: for tests that kill it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.contract.workflow_service.adapters import DURABLE_STORES, Stores
from tests.support.executions import beginning, following


async def _work(stores: Stores, name: str) -> None:
    commit = beginning(name)
    while True:
        await stores.events.append(commit)
        sys.stdout.write(f"{name} {commit.expected + len(commit.events)}\n")
        sys.stdout.flush()
        commit = following(commit)


async def _main(adapter: str, folder: Path) -> None:
    async with DURABLE_STORES[adapter](folder, "doomed") as stores, asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(_work(stores, f"e{number}"))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], Path(sys.argv[2])))
