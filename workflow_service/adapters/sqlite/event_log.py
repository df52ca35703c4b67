"""The committed log as CloudEvents, for the relay."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from chassis.messaging.port import CloudEvent
from chassis.storage.sqlite import SqliteDatabase
from workflow_service.adapters.event_codec import EVENTS_VERSION, decode_events
from workflow_service.adapters.sqlite.bell import LogBell
from workflow_service.adapters.sqlite.inbound_events import decode_inbound
from workflow_service.adapters.sqlite.rows import Row, maybe_moment, moment_of
from workflow_service.application.ports import Recorded
from workflow_service.application.projections.announcements import (
    EXECUTION_ENDED,
    Announced,
    Wanted,
    announcements,
    inbound_event,
)
from workflow_service.application.projections.history import TYPES, About
from workflow_service.domain.execution.events import (
    EventEmitted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
)

ROWS: Final = 2_000
"""How many rows one reading passes at the most, wanted or not, so that it ends soon."""

BATCH_BYTES: Final = 4 * 1024 * 1024
"""How many bytes of events one reading takes at the most, unless a single row has more."""

PATIENCE: Final = 5.0
"""Seconds after which the log is looked at again although nobody has rung."""

_SELECT: Final = """
SELECT c.position, c.at, c.version, c.events, c.execution, c.first_sequence,
       e.namespace, e.name, e.version, e.tenant, e.owner, e.started_at
FROM commits c LEFT JOIN executions e ON e.execution = c.execution
WHERE c.position > ? ORDER BY c.position LIMIT ?
"""

# Told in two types, or in one that only the event itself knows.
_ALWAYS_READ: Final = (EventEmitted,)
_TERMINAL: Final = (WorkflowCancelled, WorkflowCompleted, WorkflowFaulted)


class SqliteEventLog:
    """The relay's ``EventLog`` on a ``SqliteDatabase``.

    All that one commit has to tell has the position of the commit and is read at once. What nobody wants is
    passed over, in memory only: the checkpoint moves with what is published.

    Args:
        database: with the tables of ``schema.MIGRATIONS``.
        bell: rings after commits.
        wanted: whether anybody listens to a type; all are wanted by default.
    """

    def __init__(
        self, database: SqliteDatabase, *, bell: LogBell, wanted: Wanted = lambda _: True
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
        needles = _needles(self._wanted)
        found: list[tuple[int, CloudEvent]] = []
        position, size, rows = after, 0, 0
        for row in db.execute(_SELECT, (after, ROWS)):
            position, rows = row[0], rows + 1
            if not _may_tell(row, needles):
                continue
            size += len(row[3])
            found += [(position, event) for event in self._told(row)]
            if len(found) >= limit or size > BATCH_BYTES:
                break
        return found, position, rows

    def _told(self, row: Row) -> Iterator[CloudEvent]:
        at = moment_of(row[1])
        if row[4] is None:
            for inbound in decode_inbound(row[3]):
                if self._wanted(inbound.type):
                    yield inbound_event(inbound, at)
            return
        who = Announced(About(row[4], *row[6:9]), row[9], row[10], maybe_moment(row[11]))
        for sequence, event in enumerate(decode_events(row[3], row[2]), row[5]):
            yield from announcements(who, Recorded(sequence, at, event), self._wanted)


def _needles(wanted: Wanted) -> list[bytes]:
    """Return what a row holds, as msgspec writes it, that has an event that may be wanted."""
    ended = wanted(EXECUTION_ENDED)
    return [
        f'"e":"{kind.__struct_config__.tag}"'.encode()
        for kind, public in TYPES.items()
        if kind in _ALWAYS_READ or wanted(public) or (ended and kind in _TERMINAL)
    ]


def _may_tell(row: Row, needles: Sequence[bytes]) -> bool:
    """Whether the events of *row* are worth decoding: this is asked for every commit there is."""
    if row[4] is None or row[2] != EVENTS_VERSION:
        return True
    data: bytes = row[3]
    return any(needle in data for needle in needles)
