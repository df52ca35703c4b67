"""The feed of revocations."""

from chassis.storage.migrations import Migration

_FEED_UP = """
-- AUTOINCREMENT: a position is never used again, even after the rows behind it are gone.
CREATE TABLE revocation_feed (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    forget_at INTEGER NOT NULL,
    UNIQUE (kind, subject)
) STRICT;

INSERT INTO revocation_feed SELECT position, 'session', session_id, forget_at FROM revocations;
DELETE FROM sqlite_sequence WHERE name = 'revocation_feed';
INSERT INTO sqlite_sequence
    SELECT 'revocation_feed', seq FROM sqlite_sequence WHERE name = 'revocations';
DROP TABLE revocations
"""

_FEED_DOWN = """
CREATE TABLE revocations (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL UNIQUE,
    forget_at INTEGER NOT NULL
) STRICT;

INSERT INTO revocations
    SELECT position, subject, forget_at FROM revocation_feed WHERE kind = 'session';
DELETE FROM sqlite_sequence WHERE name = 'revocations';
INSERT INTO sqlite_sequence
    SELECT 'revocations', seq FROM sqlite_sequence WHERE name = 'revocation_feed';
DROP TABLE revocation_feed
"""

MIGRATIONS = (Migration(20, "revocation feed of every kind", _FEED_UP, _FEED_DOWN),)
