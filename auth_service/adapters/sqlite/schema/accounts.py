"""What becomes of accounts: confirmed addresses, deactivation, links that were mailed, known places."""

from chassis.storage.migrations import Migration

_UP = """
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;
ALTER TABLE users ADD COLUMN disabled_at INTEGER;
ALTER TABLE sessions ADD COLUMN last_seen_at INTEGER;

CREATE INDEX users_by_creation ON users (tenant, created_at, id);

-- What was mailed as a link is here as SHA-256, used once by one conditional UPDATE.
CREATE TABLE account_tokens (
    digest BLOB PRIMARY KEY,
    purpose TEXT NOT NULL,
    tenant TEXT NOT NULL,
    user_id TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX account_tokens_by_user ON account_tokens (user_id, purpose);
CREATE INDEX account_tokens_by_end ON account_tokens (expires_at);

-- Devices and networks from which somebody has logged in.
CREATE TABLE login_places (
    user_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX login_places_by_time ON login_places (last_at)
"""

_DOWN = """
DROP TABLE login_places;
DROP TABLE account_tokens;
DROP INDEX users_by_creation;
ALTER TABLE sessions DROP COLUMN last_seen_at;
ALTER TABLE users DROP COLUMN disabled_at;
ALTER TABLE users DROP COLUMN email_verified_at
"""

MIGRATIONS = (Migration(31, "accounts", _UP, _DOWN),)
