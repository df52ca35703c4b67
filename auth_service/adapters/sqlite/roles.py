"""Roles, and who has them, on SQLite."""

import sqlite3

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import Assignment, Change
from auth_service.domain.access_errors import RoleInUse, RolesChanged
from auth_service.domain.errors import LastAdministrator, UserNotFound
from auth_service.domain.permissions import Role
from auth_service.domain.roles import RoleBook, RoleDefinition

_VERSION = "COALESCE((SELECT version FROM role_books WHERE tenant = :tenant), 0)"

_TURN = """
INSERT INTO role_books (tenant, version) VALUES (:tenant, :read + 1)
ON CONFLICT (tenant) DO UPDATE SET version = :read + 1 WHERE version = :read
"""

_PUT = """
INSERT OR REPLACE INTO roles VALUES
(:tenant, :name, :description, :permissions, :parents, :updated_at, :updated_by)
"""

_REMOVE = """
DELETE FROM roles WHERE tenant = :tenant AND name = :name AND NOT EXISTS (
    SELECT 1 FROM users WHERE tenant = :tenant AND instr(' ' || roles || ' ', ' ' || :name || ' ')
)
"""

_ASSIGN = f"""
UPDATE users SET roles = :after, updated_at = :at
WHERE id = :user AND tenant = :tenant AND roles = :before AND {_VERSION} = :read
AND (
    instr(' ' || :after || ' ', :admin) OR NOT instr(' ' || :before || ' ', :admin)
    OR EXISTS (
        SELECT 1 FROM users AS others WHERE others.tenant = :tenant AND others.id <> :user
        AND others.disabled_at IS NULL AND others.kind = 'user'
        AND instr(' ' || others.roles || ' ', :admin)
    )
)
"""  # noqa: S608 - a constant

_ADMIN = f" {Role.ADMIN} "


class SqliteRoles:
    """The port `Roles`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def book(self, tenant: str) -> RoleBook:
        """See the port."""

        def work(connection: sqlite3.Connection) -> RoleBook:
            # One statement sees one state of the store: the version and the roles that it has.
            rows = connection.execute(
                f"SELECT {_VERSION}, roles.* FROM (SELECT 1) "  # noqa: S608 - a constant
                "LEFT JOIN roles ON roles.tenant = :tenant",
                {"tenant": tenant},
            ).fetchall()
            roles = [_role(row[2:]) for row in rows if row[1] is not None]
            return RoleBook(rows[0][0], {role.name: role for role in roles})

        return await self._ledger.database.read(work)

    async def put(self, tenant: str, role: RoleDefinition, *, read: int, change: Change) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            _turn(entry, tenant, read)
            entry.connection.execute(_PUT, {"tenant": tenant, **_values(role)})
            entry.revoke(change)

        await self._ledger.write(work)

    async def remove(self, tenant: str, name: str, *, read: int, change: Change) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            _turn(entry, tenant, read)
            removed = entry.connection.execute(_REMOVE, {"tenant": tenant, "name": name})
            if removed.rowcount != 1:
                raise RoleInUse(name, "users have it")
            entry.revoke(change)

        await self._ledger.write(work)

    async def assign(self, assignment: Assignment, *, read: int, change: Change) -> None:
        """See the port."""
        values: dict[str, str | int] = {
            "user": assignment.user_id,
            "tenant": assignment.tenant,
            "before": " ".join(assignment.before),
            "after": " ".join(assignment.after),
            "at": micros(assignment.at),
            "read": read,
            "admin": _ADMIN,
        }

        def work(entry: Entry) -> None:
            if entry.connection.execute(_ASSIGN, values).rowcount != 1:
                raise _why_not(entry.connection, values)
            entry.revoke(change)

        await self._ledger.write(work)


def _turn(entry: Entry, tenant: str, read: int) -> None:
    """The book is at its next version, unless it is no longer at the one that was read."""
    values = {"tenant": tenant, "read": read}
    found = entry.connection.execute(f"SELECT {_VERSION}", values).fetchone()
    if found[0] != read or entry.connection.execute(_TURN, values).rowcount != 1:
        raise RolesChanged


def _why_not(
    connection: sqlite3.Connection, values: dict[str, str | int]
) -> UserNotFound | RolesChanged | LastAdministrator:
    """Why an assignment changed nothing, looked up in its own transaction."""
    found = connection.execute(
        f"SELECT roles = :before AND {_VERSION} = :read FROM users "  # noqa: S608 - a constant
        "WHERE id = :user AND tenant = :tenant",
        values,
    ).fetchone()
    if found is None:
        return UserNotFound()
    return LastAdministrator() if found[0] else RolesChanged()


def _values(role: RoleDefinition) -> dict[str, str | int]:
    return {
        "name": role.name,
        "description": role.description,
        "permissions": " ".join(role.permissions),
        "parents": " ".join(role.parents),
        "updated_at": micros(role.updated_at) if role.updated_at is not None else 0,
        "updated_by": role.updated_by,
    }


def _role(row: tuple[str, str, str, str, int, str]) -> RoleDefinition:
    name, description, permissions, parents, updated_at, updated_by = row
    return RoleDefinition(
        name=name,
        description=description,
        permissions=tuple(permissions.split()),
        parents=tuple(parents.split()),
        updated_at=moment(updated_at) if updated_at else None,
        updated_by=updated_by,
    )
