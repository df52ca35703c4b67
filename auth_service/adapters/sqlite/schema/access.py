"""Roles and policies."""

from chassis.storage.migrations import Migration

_ROLES_UP = """
CREATE TABLE roles (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,
    parents TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

-- A tenant that never changed a role has no row, which is version 0.
CREATE TABLE role_books (
    tenant TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID
"""

_ROLES_DOWN = """
DROP TABLE role_books;
DROP TABLE roles
"""

_POLICIES_UP = """
CREATE TABLE policy_versions (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    description TEXT NOT NULL,
    effect TEXT NOT NULL,
    mode TEXT NOT NULL,
    actions TEXT NOT NULL,
    condition TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    deleted INTEGER NOT NULL,
    PRIMARY KEY (tenant, name, version)
) STRICT, WITHOUT ROWID
"""

_POLICIES_DOWN = "DROP TABLE policy_versions"

MIGRATIONS = (
    Migration(35, "roles", _ROLES_UP, _ROLES_DOWN),
    Migration(36, "policies", _POLICIES_UP, _POLICIES_DOWN),
)
