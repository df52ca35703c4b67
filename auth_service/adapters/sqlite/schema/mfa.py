"""Second factors: how sessions were proved, factors, codes, challenges, counters, devices."""

from chassis.storage.migrations import Migration

_PROOFS_UP = """
-- Sessions from before this count as proved by nothing: whatever is sensitive asks anew.
ALTER TABLE sessions ADD COLUMN proved_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN amr TEXT NOT NULL DEFAULT ''
"""

_PROOFS_DOWN = """
ALTER TABLE sessions DROP COLUMN amr;
ALTER TABLE sessions DROP COLUMN proved_at
"""

_FACTORS_UP = """
CREATE TABLE mfa_factors (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    last_used_at INTEGER,
    sealed_seed BLOB NOT NULL,
    last_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX mfa_factors_confirmed ON mfa_factors (user_id, kind)
    WHERE confirmed_at IS NOT NULL;
CREATE UNIQUE INDEX mfa_factors_pending ON mfa_factors (user_id, kind) WHERE confirmed_at IS NULL;

CREATE TABLE mfa_recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    digest BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE mfa_sent_codes (
    subject TEXT NOT NULL,
    method TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tag BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (subject, method)
) STRICT, WITHOUT ROWID;

CREATE INDEX mfa_sent_codes_by_end ON mfa_sent_codes (expires_at);

CREATE TABLE mfa_challenges (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    met_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX mfa_challenges_by_end ON mfa_challenges (expires_at);

CREATE TABLE mfa_tallies (
    key TEXT PRIMARY KEY,
    taken INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mfa_tallies_by_end ON mfa_tallies (ends_at);

CREATE TABLE mfa_devices (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    tenant TEXT NOT NULL,
    digest BLOB NOT NULL UNIQUE,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mfa_devices_by_user ON mfa_devices (user_id);
CREATE INDEX mfa_devices_by_end ON mfa_devices (expires_at)
"""

_FACTORS_DOWN = """
DROP TABLE mfa_devices;
DROP TABLE mfa_tallies;
DROP TABLE mfa_challenges;
DROP TABLE mfa_sent_codes;
DROP TABLE mfa_recovery_codes;
DROP TABLE mfa_factors
"""

MIGRATIONS = (
    Migration(45, "how sessions were proved", _PROOFS_UP, _PROOFS_DOWN),
    Migration(46, "second factors", _FACTORS_UP, _FACTORS_DOWN),
)
