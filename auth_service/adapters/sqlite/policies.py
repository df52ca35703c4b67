"""Policies, in versions, on SQLite."""

import sqlite3
from collections.abc import Sequence

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.policies import Edit
from auth_service.domain.access_errors import NameTaken, PolicyNotFound, TooManyPolicies
from auth_service.domain.policies import PolicyDraft, PolicyVersion
from chassis.policies.model import Effect, Mode

_Row = tuple[str, int, str, str, str, str, str, int, str, int]

_COLUMNS = """
name, version, description, effect, mode, actions, condition, created_at, created_by, deleted
"""

_CURRENT = f"""
SELECT {_COLUMNS} FROM policy_versions AS known WHERE tenant = :tenant AND deleted = 0
AND version = (
    SELECT max(version) FROM policy_versions WHERE tenant = :tenant AND name = known.name
)
ORDER BY name
"""  # noqa: S608 - constants

_VERSIONS = f"""
SELECT {_COLUMNS} FROM policy_versions WHERE tenant = :tenant AND name = :name
ORDER BY version DESC
"""  # noqa: S608 - constants

_ADD = "INSERT INTO policy_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class SqlitePolicies:
    """The port `Policies`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def current(self, tenant: str) -> Sequence[PolicyVersion]:
        """See the port."""
        return await self._ledger.database.read(lambda connection: _current(connection, tenant))

    async def tenants(self) -> Sequence[str]:
        """See the port."""
        rows = await self._ledger.database.read(
            lambda connection: connection.execute(
                "SELECT DISTINCT tenant FROM policy_versions ORDER BY tenant"
            ).fetchall()
        )
        return [tenant for (tenant,) in rows]

    async def versions(self, tenant: str, name: str) -> Sequence[PolicyVersion]:
        """See the port."""
        return await self._ledger.database.read(
            lambda connection: _versions(connection, tenant, name)
        )

    async def put(
        self, draft: PolicyDraft, edit: Edit, *, create: bool, most: int
    ) -> PolicyVersion | None:
        """See the port."""

        def work(entry: Entry) -> PolicyVersion | None:
            versions = _versions(entry.connection, edit.tenant, draft.name)
            latest = versions[0] if versions else None
            there = latest is not None and not latest.deleted
            if there and create:
                raise NameTaken("policy", draft.name)
            if latest is not None and there and latest.draft == draft:
                return None
            if not there and len(_current(entry.connection, edit.tenant)) >= most:
                raise TooManyPolicies(most)
            number = latest.version + 1 if latest is not None else 1
            version = PolicyVersion(draft, number, edit.at, edit.actor)
            _add(entry, edit, version)
            return version

        return await self._ledger.write(work)

    async def delete(self, name: str, edit: Edit) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            versions = _versions(entry.connection, edit.tenant, name)
            if not versions or versions[0].deleted:
                raise PolicyNotFound(name)
            latest = versions[0]
            number = latest.version + 1
            gone = PolicyVersion(latest.draft, number, edit.at, edit.actor, deleted=True)
            _add(entry, edit, gone)

        await self._ledger.write(work)


def _current(connection: sqlite3.Connection, tenant: str) -> list[PolicyVersion]:
    return [_version(row) for row in connection.execute(_CURRENT, {"tenant": tenant})]


def _versions(connection: sqlite3.Connection, tenant: str, name: str) -> list[PolicyVersion]:
    values = {"tenant": tenant, "name": name}
    return [_version(row) for row in connection.execute(_VERSIONS, values)]


def _add(entry: Entry, edit: Edit, version: PolicyVersion) -> None:
    """Within its transaction, in which nobody else writes."""
    draft = version.draft
    entry.connection.execute(
        _ADD,
        (
            edit.tenant,
            draft.name,
            version.version,
            draft.description,
            draft.effect.value,
            draft.mode.value,
            " ".join(draft.actions),
            draft.condition,
            micros(version.created_at),
            version.created_by,
            int(version.deleted),
        ),
    )
    entry.revoke(edit.change)


def _version(row: _Row) -> PolicyVersion:
    name, version, description, effect, mode, actions, condition, at, by, deleted = row
    draft = PolicyDraft(
        name=name,
        description=description,
        effect=Effect(effect),
        mode=Mode(mode),
        actions=tuple(actions.split()),
        condition=condition,
    )
    return PolicyVersion(draft, version, moment(at), by, deleted=bool(deleted))
