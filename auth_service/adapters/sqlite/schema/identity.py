"""Users, sessions, signing keys and the outbox."""

from chassis.storage.migrations import Migration

_IDENTITY_UP = """
CREATE TABLE users (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    name TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    roles TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX users_by_email ON users (tenant, email_key);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    tenant TEXT NOT NULL,
    network TEXT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_because TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_user ON sessions (user_id, network);
CREATE INDEX sessions_by_end ON sessions (expires_at);

-- Spent tokens stay until they expire: without them a thief would look like a stranger.
CREATE TABLE refresh_tokens (
    digest BLOB PRIMARY KEY,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    UNIQUE (session_id, generation)
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

-- AUTOINCREMENT: a position is never used again, even after the rows behind it are gone.
CREATE TABLE revocations (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL UNIQUE,
    forget_at INTEGER NOT NULL
) STRICT;

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    use TEXT NOT NULL,
    follows TEXT NOT NULL,
    private_pem BLOB NOT NULL,
    activates_at INTEGER NOT NULL,
    retires_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    UNIQUE (use, follows)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    event BLOB NOT NULL
) STRICT;

CREATE TABLE outbox_checkpoints (
    reader TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_IDENTITY_DOWN = """
DROP TABLE outbox_checkpoints;
DROP TABLE outbox;
DROP TABLE signing_keys;
DROP TABLE revocations;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP TABLE users
"""

MIGRATIONS = (Migration(1, "identity", _IDENTITY_UP, _IDENTITY_DOWN),)
