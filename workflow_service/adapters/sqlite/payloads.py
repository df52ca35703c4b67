"""Large values in SQLite: one row for each content and tenant, and who uses it.

Uses are counted by execution, not by place: an execution keeps every value that it ever stored until it is deleted
itself. So no commit deletes anything, and what is deleted is decided in one place, see ``retention``.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final

from chassis.storage.migrations import Migration
from workflow_service.adapters.payloads import Fetch, Payload, TakenOut, opened
from workflow_service.domain.expressions import JsonValue

_UP = """
CREATE TABLE payloads (
    tenant TEXT NOT NULL,
    digest TEXT NOT NULL, -- SHA-256 of data
    data BLOB NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT;
CREATE TABLE payload_uses (
    execution TEXT NOT NULL,
    digest TEXT NOT NULL,
    tenant TEXT NOT NULL,
    PRIMARY KEY (execution, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX payload_users ON payload_uses (tenant, digest);

-- Where values were taken out of the column beside; see adapters/payloads.
ALTER TABLE commits ADD COLUMN events_refs BLOB;
ALTER TABLE snapshots ADD COLUMN state_refs BLOB;
ALTER TABLE contents ADD COLUMN input_refs BLOB;
ALTER TABLE contents ADD COLUMN output_refs BLOB;
ALTER TABLE contents ADD COLUMN problem_refs BLOB;
"""
_DOWN = """
ALTER TABLE contents DROP COLUMN problem_refs;
ALTER TABLE contents DROP COLUMN output_refs;
ALTER TABLE contents DROP COLUMN input_refs;
ALTER TABLE snapshots DROP COLUMN state_refs;
ALTER TABLE commits DROP COLUMN events_refs;
DROP TABLE payload_uses;
DROP TABLE payloads;
"""

MIGRATIONS: Final = (Migration(40, "payloads", _UP, _DOWN),)
"""Those of large values: numbers 40 to 44."""

_KEEP: Final = "INSERT INTO payloads (tenant, digest, data) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_USE: Final = (
    "INSERT INTO payload_uses (execution, digest, tenant) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
_READ: Final = (
    "SELECT p.data FROM payload_uses u JOIN payloads p"
    " ON p.tenant = u.tenant AND p.digest = u.digest WHERE u.execution = ? AND u.digest = ?"
)
_SOME_USES: Final = "SELECT digest, tenant FROM payload_uses WHERE execution = ? LIMIT ?"
_UNUSE: Final = "DELETE FROM payload_uses WHERE execution = ? AND digest = ?"
_DROP: Final = (
    "DELETE FROM payloads WHERE tenant = ?1 AND digest = ?2"
    " AND NOT EXISTS (SELECT 1 FROM payload_uses WHERE tenant = ?1 AND digest = ?2)"
)


def keep(
    db: sqlite3.Connection, tenant: str, execution: str, payloads: Iterable[Payload]
) -> tuple[int, int]:
    """Store *payloads* of an execution; return how many were new, and how many were there already."""
    new = shared = 0
    for digest, data in payloads:
        stored = db.execute(_KEEP, (tenant, digest, data)).rowcount
        db.execute(_USE, (execution, digest, tenant))
        new, shared = new + stored, shared + 1 - stored
    return new, shared


def drop_uses(db: sqlite3.Connection, execution: str, limit: int) -> int:
    """Take up to *limit* values from an execution, and delete those that no other one uses; return how many it lost."""
    uses = db.execute(_SOME_USES, (execution, limit)).fetchall()
    for digest, tenant in uses:
        db.execute(_UNUSE, (execution, digest))
        db.execute(_DROP, (tenant, digest))
    return len(uses)


def fetching(db: sqlite3.Connection, execution: str) -> Fetch:
    """Return what reads the large values of an execution, each once.

    An execution finds only what it stored itself: whatever its references say, no other tenant's value is reached.
    """
    read: dict[str, JsonValue] = {}

    def fetch(digest: str) -> JsonValue:
        if digest not in read:
            row = db.execute(_READ, (execution, digest)).fetchone()
            read[digest] = opened(digest, None if row is None else row[0])
        return read[digest]

    return fetch


def taken_out(references: bytes | None, fetch: Fetch) -> TakenOut | None:
    """Return what a column of references says was taken out of the column beside it."""
    return None if references is None else TakenOut(references, fetch)
