"""Tables of histories, their summaries and the log.

Times are microseconds since 1970 in UTC. JSON is kept as the bytes that msgspec wrote. What changes with
every commit is kept apart from what is large, since SQLite rewrites whole rows.
"""

from chassis.storage.migrations import Migration
from workflow_service.adapters.sqlite import payloads

_HISTORIES_UP = """
CREATE TABLE executions (
    execution TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    digest TEXT NOT NULL,
    priority INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    run_at INTEGER,
    sequence INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    node TEXT NOT NULL,
    busy INTEGER NOT NULL,
    wake_at INTEGER,
    status TEXT NOT NULL,
    started_at INTEGER,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX executions_of_tenant ON executions (tenant, created_at DESC, execution DESC);
CREATE INDEX executions_of_owner ON executions (tenant, owner, created_at DESC, execution DESC);
CREATE INDEX executions_to_wake ON executions (wake_at, priority) WHERE wake_at IS NOT NULL;
CREATE INDEX executions_busy ON executions (node) WHERE busy = 1;

CREATE TABLE contents (
    execution TEXT PRIMARY KEY,
    input BLOB NOT NULL,
    tags BLOB,
    output BLOB,
    problem BLOB
) STRICT;

CREATE TABLE snapshots (
    execution TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL
) STRICT;

CREATE TABLE execution_tags (
    tenant TEXT NOT NULL,
    tag TEXT NOT NULL,
    execution TEXT NOT NULL,
    PRIMARY KEY (tenant, tag, execution)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency_keys (
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    execution TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, owner, key)
) STRICT, WITHOUT ROWID;

-- The log. AUTOINCREMENT: a position is never used again, also when the last rows are deleted, so that no
-- checkpoint is ever ahead of an event. Rows without an execution hold events from outside.
CREATE TABLE commits (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    execution TEXT,
    first_sequence INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    events BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX commits_of_execution ON commits (execution, last_sequence)
    WHERE execution IS NOT NULL;

CREATE TABLE inbound_events (
    tenant TEXT NOT NULL,
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoints (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

_HISTORIES_DOWN = """
DROP TABLE checkpoints;
DROP TABLE inbound_events;
DROP TABLE commits;
DROP TABLE idempotency_keys;
DROP TABLE execution_tags;
DROP TABLE snapshots;
DROP TABLE contents;
DROP TABLE executions;
"""

# Of whatever is bounded, fair or deleted in time. Those of wake_at and busy begin with the tenant, so that
# each tenant's share is found without passing over the others'.
_BOUNDS_UP = """
CREATE INDEX executions_open ON executions (tenant, execution) WHERE ended_at IS NULL;
CREATE INDEX executions_ended ON executions (ended_at) WHERE ended_at IS NOT NULL;
DROP INDEX executions_to_wake;
CREATE INDEX executions_next ON executions (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX executions_to_wake ON executions (tenant, priority, wake_at)
    WHERE wake_at IS NOT NULL;
DROP INDEX executions_busy;
CREATE INDEX executions_busy ON executions (tenant, node) WHERE busy = 1;
CREATE INDEX keys_by_expiry ON idempotency_keys (expires_at);
CREATE INDEX inbound_by_age ON inbound_events (at);
CREATE INDEX commits_from_outside ON commits (at) WHERE execution IS NULL;

-- Executions that nobody can see any more, whose histories are still being deleted, piece by piece.
CREATE TABLE forgotten (execution TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
"""

_BOUNDS_DOWN = """
DROP TABLE forgotten;
DROP INDEX commits_from_outside;
DROP INDEX inbound_by_age;
DROP INDEX keys_by_expiry;
DROP INDEX executions_busy;
CREATE INDEX executions_busy ON executions (node) WHERE busy = 1;
DROP INDEX executions_to_wake;
DROP INDEX executions_next;
CREATE INDEX executions_to_wake ON executions (wake_at, priority) WHERE wake_at IS NOT NULL;
DROP INDEX executions_ended;
DROP INDEX executions_open;
"""

# What started an execution, and the executions that tasks of others run.
_ORIGINS_UP = """
ALTER TABLE executions ADD COLUMN parent TEXT;
ALTER TABLE contents ADD COLUMN origin BLOB;
CREATE INDEX executions_of_parent ON executions (parent, created_at DESC, execution DESC)
    WHERE parent IS NOT NULL;
CREATE INDEX executions_of_tasks ON executions (execution)
    WHERE ended_at IS NULL AND parent IS NOT NULL;
"""
_ORIGINS_DOWN = """
DROP INDEX executions_of_tasks;
DROP INDEX executions_of_parent;
ALTER TABLE contents DROP COLUMN origin;
ALTER TABLE executions DROP COLUMN parent;
"""

_EVENTS_UP = """
-- Events in the order in which they came: from outside, from the bus, from tasks that emit. Kept until all who
-- read them have passed them. AUTOINCREMENT: see commits.
CREATE TABLE intake (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    at INTEGER NOT NULL,
    event BLOB NOT NULL
) STRICT;
CREATE TABLE intake_readers (
    name TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who waits for what. A shape is a filter as its definition has it; a key is made of the values that are expected.
CREATE TABLE subscriptions (
    tenant TEXT NOT NULL,
    type TEXT NOT NULL,
    shape TEXT NOT NULL,
    key TEXT NOT NULL,
    execution TEXT NOT NULL,
    frame TEXT NOT NULL,
    number INTEGER NOT NULL,
    since INTEGER NOT NULL,
    PRIMARY KEY (tenant, type, shape, key, execution, frame)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriptions_of_execution ON subscriptions (execution);
"""

_EVENTS_DOWN = """
DROP TABLE subscriptions;
DROP TABLE intake_readers;
DROP TABLE intake;
"""

_LANES_UP = "CREATE INDEX intake_of_tenant ON intake (tenant, position);"
_LANES_DOWN = "DROP INDEX intake_of_tenant;"

MIGRATIONS = (
    Migration(1, "histories", _HISTORIES_UP, _HISTORIES_DOWN),
    Migration(2, "bounds", _BOUNDS_UP, _BOUNDS_DOWN),
    Migration(20, "events", _EVENTS_UP, _EVENTS_DOWN),
    Migration(21, "intake of tenants", _LANES_UP, _LANES_DOWN),
    Migration(25, "origins", _ORIGINS_UP, _ORIGINS_DOWN),
    *payloads.MIGRATIONS,
)
"""Those of histories: numbers 1 to 99."""
