"""The committed log as CloudEvents, for the relay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from chassis.messaging.port import CloudEvent
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.bells import LogBell
from workflow_service.adapters.columns import maybe_moment, moment_of
from workflow_service.adapters.event_codec import decode_events
from workflow_service.adapters.payloads import size_of
from workflow_service.adapters.sqlite.payloads import fetching, taken_out
from workflow_service.adapters.sqlite.rows import Row
from workflow_service.adapters.telling import may_tell, needles_of, told_from_outside, told_of
from workflow_service.application.projections.announcements import Announced, Wanted, required
from workflow_service.application.projections.history import About

ROWS: Final = 2_000
"""How many rows one reading passes at the most, wanted or not, so that it ends soon."""

BATCH_BYTES: Final = 4 * 1024 * 1024
"""How many bytes of events one reading takes at the most, unless a single row has more."""

PATIENCE: Final = 5.0
"""Seconds after which the log is looked at again although nobody has rung."""

_SELECT: Final = """
SELECT c.position, c.at, c.version, c.events, c.execution, c.first_sequence,
       e.namespace, e.name, e.version, e.tenant, e.owner, e.started_at,
       c.events_refs
FROM commits c LEFT JOIN executions e ON e.execution = c.execution
WHERE c.position > ? ORDER BY c.position LIMIT ?
"""


class SqliteEventLog:
    """The relay's ``EventLog`` on a ``SqliteDatabase``.

    All that one commit has to tell has the position of the commit and is read at once. What nobody wants is
    passed over, in memory only: the checkpoint moves with what is published.

    Args:
        database: with the tables of ``schema.MIGRATIONS``.
        bell: rings after commits.
        wanted: whether anybody listens to a type; all that the standard requires by default.
    """

    def __init__(
        self, database: SqliteDatabase, *, bell: LogBell, wanted: Wanted = required
    ) -> None:
        self._database = database
        self._bell = bell
        self._wanted = wanted
        self._passed = (0, 0)
        """After the first of these positions there is nothing wanted up to the second."""

    @property
    def passed(self) -> tuple[int, int]:
        """Two positions: after the first one, up to the second, there is nothing that anybody wants."""
        return self._passed

    async def read_log(self, after: int, limit: int) -> Sequence[tuple[int, CloudEvent]]:
        """Return at least *limit* events beyond the position *after*, with all of their commits."""
        while True:
            start = self._passed[1] if self._passed[0] == after else after
            entries, position, rows = await self._database.read(
                partial(self._read, after=start, limit=limit)
            )
            self._passed = (entries[-1][0] if entries else after, position)
            if entries:
                return entries
            if rows < ROWS:
                return ()

    async def load_checkpoint(self, name: str) -> int:
        """Return what *name* saved last."""

        def work(db: sqlite3.Connection) -> int:
            found = db.execute(
                "SELECT position FROM checkpoints WHERE name = ?", (name,)
            ).fetchone()
            return 0 if found is None else int(found[0])

        return await self._database.read(work)

    async def save_checkpoint(self, name: str, position: int) -> None:
        """Remember *position* for *name*."""
        statement = "INSERT OR REPLACE INTO checkpoints (name, position) VALUES (?, ?)"
        await self._database.write(lambda db: db.execute(statement, (name, position)).close())

    async def wait_for_log(self, after: int) -> None:
        """Return when somebody has committed since the last wait, or after a while."""
        await self._bell.wait(PATIENCE)

    def _read(
        self, db: sqlite3.Connection, after: int, limit: int
    ) -> tuple[list[tuple[int, CloudEvent]], int, int]:
        """Return what is wanted after a position, the position that was come to, and the rows passed."""
        needles = needles_of(self._wanted)
        found: list[tuple[int, CloudEvent]] = []
        position, size, rows = after, 0, 0
        for row in db.execute(_SELECT, (after, ROWS)):
            position, rows = row[0], rows + 1
            if row[4] is not None and not may_tell(row[3], row[2], needles):
                continue
            size += len(row[3]) + size_of(row[12])
            found += [(position, event) for event in self._told(db, row)]
            if len(found) >= limit or size > BATCH_BYTES:
                break
        return found, position, rows

    def _told(self, db: sqlite3.Connection, row: Row) -> Iterator[CloudEvent]:
        at = moment_of(row[1])
        if row[4] is None:
            return told_from_outside(row[3], at, self._wanted)
        who = Announced(About(row[4], *row[6:9]), row[9], row[10], maybe_moment(row[11]))
        large = taken_out(row[12], fetching(db, row[4]))
        events = decode_events(row[3], row[2], taken_out=large)
        return told_of(who, row[5], at, events, self._wanted)
