"""The tables of the audit trail: appended to, and never changed.

The triggers are for honest mistakes; who can write to the file can drop them, and is found out by the chain.
"""

from chassis.audit.footprints import FOOTPRINTS
from chassis.crypto.data_keys import STORE_KEYS
from chassis.storage.migrations import Migration

_AUDIT_UP = """
CREATE TABLE audit (
    tenant TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    actor TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    request_id TEXT NOT NULL,
    data TEXT NOT NULL,
    address TEXT NOT NULL,
    personal TEXT NOT NULL,
    salt BLOB,
    commitment BLOB NOT NULL,
    previous BLOB NOT NULL,
    link BLOB NOT NULL,
    PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_time ON audit (tenant, at);
CREATE INDEX audit_by_actor ON audit (tenant, actor);
CREATE INDEX audit_by_action ON audit (tenant, action);
CREATE INDEX audit_by_target ON audit (tenant, target) WHERE target != '';
CREATE INDEX audit_by_address ON audit (tenant, address) WHERE address != '';

-- How far each chain has come; rewritten with every entry, in its transaction.
CREATE TABLE audit_heads (
    tenant TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    link BLOB NOT NULL,
    mark BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- With what each chain goes on after old entries were purged.
CREATE TABLE audit_anchors (
    tenant TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    link BLOB NOT NULL,
    mark BLOB NOT NULL,
    PRIMARY KEY (tenant, sequence)
) STRICT, WITHOUT ROWID;

-- Only what is about somebody may be taken out of an entry; the rest of it stays as it is.
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
WHEN NEW.salt IS NOT NULL OR NEW.address != '' OR NEW.personal != '{}'
    OR NEW.tenant IS NOT OLD.tenant OR NEW.sequence IS NOT OLD.sequence
    OR NEW.id IS NOT OLD.id OR NEW.at IS NOT OLD.at OR NEW.source IS NOT OLD.source
    OR NEW.action IS NOT OLD.action OR NEW.outcome IS NOT OLD.outcome
    OR NEW.actor IS NOT OLD.actor OR NEW.target IS NOT OLD.target
    OR NEW.reason IS NOT OLD.reason OR NEW.request_id IS NOT OLD.request_id
    OR NEW.data IS NOT OLD.data OR NEW.commitment IS NOT OLD.commitment
    OR NEW.previous IS NOT OLD.previous OR NEW.link IS NOT OLD.link
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is only appended to');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN NOT EXISTS (
    SELECT 1 FROM audit_anchors
    WHERE tenant = OLD.tenant AND sequence >= OLD.sequence
)
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is only appended to');
END;

CREATE TRIGGER audit_anchors_are_not_changed BEFORE UPDATE ON audit_anchors
BEGIN
    SELECT RAISE(ABORT, 'anchors of the audit trail stay');
END;

CREATE TRIGGER audit_anchors_are_not_deleted BEFORE DELETE ON audit_anchors
BEGIN
    SELECT RAISE(ABORT, 'anchors of the audit trail stay');
END
"""

_AUDIT_DOWN = """
DROP TABLE audit_anchors;
DROP TABLE audit_heads;
DROP TABLE audit
"""

MIGRATIONS = (
    Migration(40, "store_keys", STORE_KEYS, "DROP TABLE store_keys"),
    Migration(41, "audit", _AUDIT_UP, _AUDIT_DOWN),
    Migration(42, "audit footprints", FOOTPRINTS, "DROP TABLE audit_footprints"),
)
"""Those of the audit trail: numbers 40 to 44."""
