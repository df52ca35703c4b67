"""What a service tells is kept with its change, brought in order, and forgotten only when it has arrived."""

from collections.abc import AsyncIterator, Sequence

import pytest

from chassis.audit.entry import decoded
from chassis.audit.outbox import outbox_migration
from chassis.audit.service import ServiceAudit
from chassis.clock import SystemClock
from chassis.errors import Unavailable
from chassis.ids import RandomIds
from chassis.lifecycle import Supervisor
from chassis.storage.migrations import Migration
from chassis.storage.sqlite import SqliteDatabase
from tests.support.time import eventually

TABLE = Migration(1, "things", "CREATE TABLE things (name TEXT UNIQUE) STRICT", "DROP TABLE things")


class Trail:
    """The other end: away at first, or with answers that get lost."""

    def __init__(self) -> None:
        self.actions: list[str] = []
        self.failures = 0
        self.forgetful = 0

    async def send(self, entries: Sequence[bytes]) -> None:
        if self.failures:
            self.failures -= 1
            raise Unavailable("away")
        self.actions += [decoded(entry).action for entry in entries]
        if self.forgetful:
            self.forgetful -= 1
            raise Unavailable("the answer was lost")


@pytest.fixture
async def database() -> AsyncIterator[SqliteDatabase]:
    async with await SqliteDatabase.open(None, migrations=[TABLE, outbox_migration(2)]) as opened:
        yield opened


@pytest.fixture
def audit(database: SqliteDatabase) -> ServiceAudit:
    return ServiceAudit.of("workflow", database, clock=SystemClock(), ids=RandomIds())


async def insert(database: SqliteDatabase, name: str) -> None:
    await database.write(lambda c: c.execute("INSERT INTO things VALUES (?)", (name,)).rowcount)


async def waiting(database: SqliteDatabase) -> list[str]:
    rows = await database.read(
        lambda c: c.execute("SELECT entry FROM audit_outbox ORDER BY position").fetchall()
    )
    return [decoded(entry).action for (entry,) in rows]


async def test_an_entry_is_there_exactly_when_its_change_is(
    database: SqliteDatabase, audit: ServiceAudit
) -> None:
    with audit.recorder.along("thing_made", target="one"):
        await insert(database, "one")
    with pytest.raises(Exception, match="UNIQUE"), audit.recorder.along("thing_made", target="one"):
        await insert(database, "one")

    assert await waiting(database) == ["thing_made"]


async def test_what_was_told_arrives_and_is_forgotten_then(
    database: SqliteDatabase, audit: ServiceAudit
) -> None:
    trail = Trail()
    async with Supervisor() as supervisor:
        audit.start(supervisor, trail.send)
        audit.recorder.record("first")
        await audit.recorder.settled()
        with audit.recorder.along("second"):
            await insert(database, "one")
        await eventually(lambda: trail.actions == ["first", "second"])

        async def empty() -> bool:
            return await waiting(database) == []

        await eventually(empty)


async def test_while_the_trail_is_away_everything_waits(
    database: SqliteDatabase, audit: ServiceAudit
) -> None:
    trail = Trail()
    trail.failures = 1
    async with Supervisor() as supervisor:
        audit.start(supervisor, trail.send)
        audit.recorder.record("first")
        await audit.recorder.settled()
        await eventually(lambda: trail.actions == ["first"])


async def test_what_may_have_arrived_is_brought_again(
    database: SqliteDatabase, audit: ServiceAudit
) -> None:
    trail = Trail()
    trail.forgetful = 1
    async with Supervisor() as supervisor:
        audit.start(supervisor, trail.send)
        audit.recorder.record("first")
        await eventually(lambda: trail.actions == ["first", "first"])
