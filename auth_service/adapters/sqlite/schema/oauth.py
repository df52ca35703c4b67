"""Clients, consents, and what is on its way to a client. Secrets and codes are there as SHA-256."""

from chassis.storage.migrations import Migration

_UP = """
-- 'user', or 'service': the principal that a client is by itself, which cannot log in.
ALTER TABLE users ADD COLUMN kind TEXT NOT NULL DEFAULT 'user';
ALTER TABLE sessions ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';

CREATE INDEX sessions_by_client ON sessions (client_id, user_id) WHERE client_id != '';
CREATE INDEX sessions_by_parent ON sessions (parent_id) WHERE parent_id != '';

CREATE TABLE oauth_clients (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    document BLOB NOT NULL,
    session_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_clients_by_tenant ON oauth_clients (tenant, id);

CREATE TABLE oauth_client_secrets (
    digest BLOB PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_secrets_by_client ON oauth_client_secrets (client_id);

-- Assertions of clients that were seen, until they would be refused for their age.
CREATE TABLE oauth_assertions (
    client_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE oauth_grants (
    session_id TEXT PRIMARY KEY REFERENCES sessions (id) ON DELETE CASCADE,
    document BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Spent codes stay for a day: without them a second use would look like a guess.
CREATE TABLE oauth_codes (
    digest BLOB PRIMARY KEY,
    client_id TEXT NOT NULL,
    document BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    session_id TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE oauth_pushed (
    digest BLOB PRIMARY KEY,
    client_id TEXT NOT NULL,
    document BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE oauth_requests (
    digest BLOB PRIMARY KEY,
    browser BLOB NOT NULL,
    client_id TEXT NOT NULL,
    document BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_requests_by_browser ON oauth_requests (browser);

CREATE TABLE oauth_browsers (
    digest BLOB PRIMARY KEY,
    tenant TEXT NOT NULL,
    session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    document BLOB NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX oauth_browsers_by_session ON oauth_browsers (session_id);

CREATE TABLE oauth_consents (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE oauth_devices (
    digest BLOB PRIMARY KEY,
    user_code BLOB NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    document BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending',
    granted BLOB,
    interval INTEGER NOT NULL,
    asked_at INTEGER,
    used_at INTEGER,
    session_id TEXT
) STRICT, WITHOUT ROWID
"""

_DOWN = """
DROP TABLE oauth_devices;
DROP TABLE oauth_consents;
DROP TABLE oauth_browsers;
DROP TABLE oauth_requests;
DROP TABLE oauth_pushed;
DROP TABLE oauth_codes;
DROP TABLE oauth_grants;
DROP TABLE oauth_assertions;
DROP TABLE oauth_client_secrets;
DROP TABLE oauth_clients;
DROP INDEX sessions_by_parent;
DROP INDEX sessions_by_client;
ALTER TABLE sessions DROP COLUMN parent_id;
ALTER TABLE sessions DROP COLUMN client_id;
ALTER TABLE users DROP COLUMN kind
"""

MIGRATIONS = (Migration(25, "OAuth clients, grants and consents", _UP, _DOWN),)
