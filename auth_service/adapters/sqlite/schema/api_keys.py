"""API keys, their secrets, and how they are used."""

from chassis.storage.migrations import Migration

_KEYS_UP = """
CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    environment TEXT NOT NULL,
    name TEXT NOT NULL,
    permissions TEXT NOT NULL,
    rate_limit INTEGER,
    allowed_ips TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_owner ON api_keys (owner, id);
CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);

CREATE TABLE api_key_secrets (
    prefix TEXT PRIMARY KEY,
    key_id TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
    generation INTEGER NOT NULL,
    pepper TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER,
    UNIQUE (key_id, generation)
) STRICT, WITHOUT ROWID;

CREATE INDEX api_key_secrets_by_end ON api_key_secrets (ends_at);

CREATE TABLE api_key_usage (
    key_id TEXT PRIMARY KEY REFERENCES api_keys (id) ON DELETE CASCADE,
    uses INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The last report of each gateway: one whose answer was lost comes again, and counts once.
CREATE TABLE api_key_reporters (
    reporter TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    reported_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_KEYS_DOWN = """
DROP TABLE api_key_reporters;
DROP TABLE api_key_usage;
DROP TABLE api_key_secrets;
DROP TABLE api_keys
"""

MIGRATIONS = (Migration(21, "API keys", _KEYS_UP, _KEYS_DOWN),)
