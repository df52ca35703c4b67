"""The tables, step by step. A step that was released is never edited: add another."""

from chassis.audit.outbox import outbox_migration
from chassis.storage.migrations import Migration

# Times are whole microseconds since 1970 (`times.stamp`): exact, and they sort.
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

_MAILS_UP = """
-- What a mail says is sealed until it is sent, and NULL from then on.
CREATE TABLE mails (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    sealed BLOB,
    written_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sent_mails ON mails (written_at) WHERE sealed IS NULL;
"""

_MAILS_DOWN = """
DROP TABLE mails;
"""

_MAILS_BY_END_UP = """
CREATE INDEX unsent_mails ON mails (expires_at) WHERE sealed IS NOT NULL;
"""

_MAILS_BY_END_DOWN = """
DROP INDEX unsent_mails;
"""

_DEAD_LETTERS_UP = """
CREATE TABLE dead_letters (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    service TEXT NOT NULL,
    subscription TEXT NOT NULL,
    type TEXT NOT NULL,
    about TEXT NOT NULL,
    reason TEXT NOT NULL,
    payload BLOB NOT NULL,
    redrivable INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    at INTEGER NOT NULL,
    times INTEGER NOT NULL
) STRICT;
CREATE INDEX dead_letters_by_tenant ON dead_letters (tenant, position);
"""

_DEAD_LETTERS_DOWN = """
DROP TABLE dead_letters;
"""

MIGRATIONS = (
    Migration(1, "initial", _INITIAL_UP, _INITIAL_DOWN),
    Migration(2, "mails", _MAILS_UP, _MAILS_DOWN),
    Migration(30, "mails by their end", _MAILS_BY_END_UP, _MAILS_BY_END_DOWN),
    outbox_migration(45),
    Migration(50, "dead letters", _DEAD_LETTERS_UP, _DEAD_LETTERS_DOWN),
)
