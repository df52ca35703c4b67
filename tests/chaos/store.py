"""What the workflow service's file says after the end, read without the service."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from tests.chaos.checker import Anomaly

_ENDS = {"completed", "faulted", "cancelled"}


def store_anomalies(file: Path) -> list[Anomaly]:
    """Every row of *file* that contradicts another."""
    with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True)) as store:
        return [*_integrity(store), *_executions(store), *_commits(store)]


def integrity(file: Path) -> str:
    """What SQLite thinks of *file*: "ok", or what is wrong."""
    with closing(sqlite3.connect(f"file:{file}?mode=rw", uri=True)) as store:
        (verdict,) = store.execute("PRAGMA integrity_check(1)").fetchone()
        return str(verdict)


def _integrity(store: sqlite3.Connection) -> Iterator[Anomaly]:
    (verdict,) = store.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        yield Anomaly("corruption", "store", str(verdict))


def _executions(store: sqlite3.Connection) -> Iterator[Anomaly]:
    """An execution that is over waits for nothing, and its last event says how it ended."""
    rows = store.execute(
        "SELECT e.execution, e.status, e.busy, e.wake_at, e.sequence, c.last_sequence, c.events"
        " FROM executions e LEFT JOIN commits c"
        " ON c.execution = e.execution AND c.last_sequence = e.sequence"
    )
    for execution, status, busy, wake_at, sequence, last, events in rows:
        if last != sequence:
            yield Anomaly("sequence", execution, f"{sequence}, but the log has {last}")
            continue
        fact = msgspec.json.decode(events)[-1]["e"]
        if (fact if fact in _ENDS else None) != (status if status in _ENDS else None):
            yield Anomaly("summary disagrees", execution, f"{status}, but {fact}")
        if status in _ENDS and (busy or wake_at is not None):
            yield Anomaly("zombie", execution, f"busy {busy}, wakes at {wake_at}")
        if status not in _ENDS and not busy and wake_at is None:
            yield Anomaly("no next wake-up", execution, str(status))


def _commits(store: sqlite3.Connection) -> Iterator[Anomaly]:
    """The commits of an execution follow each other without a gap, and say how many events they have."""
    ends: dict[str, int] = {}
    rows = store.execute(
        "SELECT execution, first_sequence, last_sequence, events FROM commits"
        " WHERE execution IS NOT NULL ORDER BY position"
    )
    for execution, first, last, events in rows:
        if first != ends.get(execution, 0) + 1:
            yield Anomaly("gap", execution, f"{first} after {ends.get(execution, 0)}")
        if len(msgspec.json.decode(events)) != last - first + 1:
            yield Anomaly("gap", execution, f"{first} to {last} has other events")
        ends[execution] = last
