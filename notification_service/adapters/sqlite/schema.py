"""The tables, step by step. A step that was released is never edited: add another."""

from chassis.storage.migrations import Migration

# Times are whole microseconds since 1970 (`rows.stamp`): exact, and they sort.
_INITIAL_UP = """
CREATE TABLE settled_events (
    source TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    as_of INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE preferences (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    email INTEGER NOT NULL,
    PRIMARY KEY (tenant, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE notifications (
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    data BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    read_at INTEGER,
    PRIMARY KEY (tenant, user_id, position)
) STRICT;
CREATE INDEX unread_notifications ON notifications (tenant, user_id, position)
    WHERE read_at IS NULL;

CREATE TABLE delivery_attempts (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    notification_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    status TEXT NOT NULL,
    number INTEGER NOT NULL,
    error TEXT NOT NULL,
    attempted_at INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_by_recipient ON delivery_attempts (tenant, user_id, position);
CREATE INDEX attempts_by_notification ON delivery_attempts (notification_id, position);

CREATE TABLE delivery_queue (
    notification_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (notification_id, channel)
) STRICT;
CREATE INDEX queue_by_time ON delivery_queue (due_at);
"""

_INITIAL_DOWN = """
DROP TABLE delivery_queue;
DROP TABLE delivery_attempts;
DROP TABLE notifications;
DROP TABLE preferences;
DROP TABLE contacts;
DROP TABLE settled_events;
"""

MIGRATIONS = (Migration(1, "initial", _INITIAL_UP, _INITIAL_DOWN),)
