"""Mails about accounts that notification_service does not have yet."""

from chassis.storage.migrations import Migration

_UP = """
-- What a mail says is sealed; a row is there only until the mail was passed on.
CREATE TABLE mail_outbox (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    sealed BLOB NOT NULL,
    due_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_outbox_by_time ON mail_outbox (due_at)
"""

_DOWN = """
DROP TABLE mail_outbox
"""

MIGRATIONS = (Migration(30, "outbox of mails", _UP, _DOWN),)
