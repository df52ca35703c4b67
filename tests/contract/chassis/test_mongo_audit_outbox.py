"""What a service with a store in MongoDB tells is brought in order, and forgotten only when it has arrived."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from chassis.audit.entry import decoded
from chassis.audit.mongo_outbox import outbox_migration
from chassis.audit.service import ServiceAudit
from chassis.clock import SystemClock
from chassis.errors import Unavailable
from chassis.ids import RandomIds
from chassis.lifecycle import Supervisor
from chassis.storage.mongo import opened
from chassis.storage.mongo_migrations import migrate
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.time import eventually


async def test_entries_wait_for_the_trail_and_are_brought_again_when_its_answer_is_lost(
    tmp_path: Path,
) -> None:
    brought: list[str] = []
    failures = 2

    async def send(entries: Sequence[bytes]) -> None:
        nonlocal failures
        brought.extend(decoded(entry).action for entry in entries)
        if failures:
            failures -= 1
            raise Unavailable("the answer was lost")

    async with opened(database_url(mongo_url(), tmp_path), "audited") as database:
        await migrate(database, [outbox_migration(1)])
        audit = ServiceAudit.of("workflow", database, clock=SystemClock(), ids=RandomIds())
        outbox = database.collection("audit_outbox")

        async def empty() -> bool:
            return len(brought) == 6 and await outbox.count_documents({}) == 0

        async with Supervisor() as supervisor:
            audit.start(supervisor, None)
            audit.recorder.record("first")
            await audit.recorder.settled()
            with audit.recorder.along("second"):
                pass
            await audit.recorder.settled()
            assert await outbox.count_documents({}) == 2
            audit.start(supervisor, send)
            await eventually(empty)

    assert brought == ["first", "second"] * 3
