"""API keys on SQLite."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.rows import USER_COLUMNS, user_from
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import Change, FoundKey, KeyPage
from auth_service.domain.api_key import (
    LIVE_SECRETS,
    ApiKey,
    Environment,
    KeySecret,
    KeyTerms,
    KeyUsage,
)
from auth_service.domain.events import AccountFact

_SILENT: Final = timedelta(days=1)
"""After which a reporter is forgotten: none waits nearly as long before it tells something again."""

_COLUMNS = """
api_keys.id, api_keys.tenant, owner, environment, api_keys.name, permissions, rate_limit, allowed_ips,
api_keys.expires_at, api_keys.created_at, api_keys.updated_at, last_used_at, uses
"""
_KEY_WIDTH = 14

_FIND = f"""
SELECT {_COLUMNS}, (
    SELECT prefix FROM api_key_secrets WHERE key_id = api_keys.id ORDER BY generation DESC LIMIT 1
)
FROM api_keys LEFT JOIN api_key_usage ON api_key_usage.key_id = api_keys.id
WHERE tenant = :tenant AND (:owner IS NULL OR owner = :owner)
"""  # noqa: S608 - constants

_FIND_BY_PREFIX = f"""
SELECT {_COLUMNS}, prefix, pepper, digest, api_key_secrets.created_at, ends_at, {USER_COLUMNS}
FROM api_key_secrets
JOIN api_keys ON api_keys.id = api_key_secrets.key_id
JOIN users ON users.id = api_keys.owner
LEFT JOIN api_key_usage ON api_key_usage.key_id = api_keys.id
WHERE prefix = ?
"""  # noqa: S608 - constants

_ADD = """
INSERT INTO api_keys SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
WHERE (SELECT count(*) FROM api_keys WHERE owner = ?) < ?
"""

_CHANGE = """
UPDATE api_keys SET name = ?, permissions = ?, rate_limit = ?, allowed_ips = ?, expires_at = ?,
    updated_at = ?
WHERE id = ?
"""

_NEW_TEXT = """
INSERT INTO api_key_secrets SELECT ?, ?, coalesce(max(generation), 0) + 1, ?, ?, ?, NULL
FROM api_key_secrets WHERE key_id = ?
"""

_END = """
UPDATE api_key_secrets SET ends_at = min(coalesce(ends_at, :ends), :ends)
WHERE key_id = :key AND generation = (
    SELECT max(generation) FROM api_key_secrets WHERE key_id = :key
)
"""

_DROP_OLDEST = """
DELETE FROM api_key_secrets WHERE key_id = ? AND generation <= (
    SELECT max(generation) FROM api_key_secrets WHERE key_id = ?
) - ?
"""

_REPORT = """
INSERT INTO api_key_reporters VALUES (:reporter, :sequence, :at)
ON CONFLICT (reporter) DO UPDATE SET sequence = excluded.sequence, reported_at = excluded.reported_at
WHERE excluded.sequence > sequence
"""

_USE = """
INSERT INTO api_key_usage SELECT id, :count, :at FROM api_keys WHERE id = :key
ON CONFLICT (key_id) DO UPDATE SET
    uses = uses + excluded.uses, last_used_at = max(last_used_at, excluded.last_used_at)
"""


class SqliteApiKeys:
    """The port `ApiKeys`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(self, key: ApiKey, secret: KeySecret, *, most: int, event: AccountFact) -> bool:
        """See the port."""
        values = (key.id, key.tenant, key.owner, key.environment.value)
        dates = (micros(key.created_at), micros(key.updated_at))

        def work(entry: Entry) -> bool:
            added = entry.connection.execute(
                _ADD, (*values, *_terms_row(key.terms), *dates, key.owner, most)
            )
            if added.rowcount != 1:
                return False
            _add_secret(entry.connection, key.id, secret)
            entry.announce(event)
            return True

        return await self._ledger.write(work)

    async def change(self, key_id: str, terms: KeyTerms, at: datetime, change: Change) -> bool:
        """See the port."""
        values = (*_terms_row(terms), micros(at), key_id)

        def work(entry: Entry) -> bool:
            return _told(entry, entry.connection.execute(_CHANGE, values), change)

        return await self._ledger.write(work)

    async def rotate(
        self,
        key_id: str,
        secret: KeySecret,
        *,
        overlap_ends: datetime,
        change: Change,
        event: AccountFact,
    ) -> bool:
        """See the port."""

        def work(entry: Entry) -> bool:
            renewed = entry.connection.execute(
                "UPDATE api_keys SET updated_at = ? WHERE id = ?",
                (micros(secret.created_at), key_id),
            )
            if not _told(entry, renewed, change):
                return False
            entry.connection.execute(_END, {"key": key_id, "ends": micros(overlap_ends)})
            _add_secret(entry.connection, key_id, secret)
            entry.connection.execute(_DROP_OLDEST, (key_id, key_id, LIVE_SECRETS))
            entry.announce(event)
            return True

        return await self._ledger.write(work)

    async def delete(self, tenant: str, owner: str | None, key_id: str, change: Change) -> bool:
        """See the port."""

        def work(entry: Entry) -> bool:
            deleted = entry.connection.execute(
                "DELETE FROM api_keys WHERE id = :id AND tenant = :tenant "
                "AND (:owner IS NULL OR owner = :owner)",
                {"id": key_id, "tenant": tenant, "owner": owner},
            )
            return _told(entry, deleted, change)

        return await self._ledger.write(work)

    async def find(self, tenant: str, owner: str | None, key_id: str) -> ApiKey | None:
        """See the port."""
        values = {"tenant": tenant, "owner": owner, "id": key_id}
        row = await self._database.read(
            lambda connection: connection.execute(
                _FIND + " AND api_keys.id = :id", values
            ).fetchone()
        )
        return _key(row) if row else None

    async def list(
        self, tenant: str, owner: str | None, *, limit: int, cursor: str | None
    ) -> KeyPage:
        """See the port. A cursor is the id of the last key before it; ids ascend with time."""
        query = (
            _FIND + " AND (:cursor IS NULL OR api_keys.id < :cursor) ORDER BY api_keys.id DESC "
            "LIMIT :limit"
        )
        values = {"tenant": tenant, "owner": owner, "cursor": cursor, "limit": limit + 1}
        rows = await self._database.read(
            lambda connection: connection.execute(query, values).fetchall()
        )
        keys = [_key(row) for row in rows]
        return KeyPage(keys[:limit], keys[limit - 1].id if len(keys) > limit else None)

    async def find_by_prefix(self, prefix: str) -> FoundKey | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(_FIND_BY_PREFIX, (prefix,)).fetchone()
        )
        if row is None:
            return None
        text, pepper, digest, created_at, ends_at = row[_KEY_WIDTH - 1 : _KEY_WIDTH + 4]
        secret = KeySecret(text, pepper, digest, moment(created_at), _perhaps(ends_at))
        return FoundKey(_key(row[:_KEY_WIDTH]), secret, user_from(row[_KEY_WIDTH + 4 :]))

    async def record(self, reporter: str, sequence: int, uses: Sequence[KeyUsage]) -> None:
        """See the port."""
        at = max((micros(use.at) for use in uses), default=0)
        report = {"reporter": reporter, "sequence": sequence, "at": at}

        def work(connection: sqlite3.Connection) -> None:
            if connection.execute(_REPORT, report).rowcount == 1:
                connection.executemany(
                    _USE,
                    [{"key": use.key_id, "count": use.count, "at": micros(use.at)} for use in uses],
                )

        await self._database.write(work)

    async def purge(self, now: datetime) -> None:
        """See the port."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM api_key_secrets WHERE ends_at <= ?", (micros(now),))
            connection.execute(
                "DELETE FROM api_key_reporters WHERE reported_at <= ?", (micros(now - _SILENT),)
            )

        await self._database.write(work)


def _told(entry: Entry, cursor: sqlite3.Cursor, change: Change) -> bool:
    """Whether the statement found its row; then everybody is to hear of it."""
    if cursor.rowcount != 1:
        return False
    entry.revoke(change)
    return True


def _add_secret(connection: sqlite3.Connection, key_id: str, secret: KeySecret) -> None:
    created_at = micros(secret.created_at)
    connection.execute(
        _NEW_TEXT, (secret.prefix, key_id, secret.pepper, secret.digest, created_at, key_id)
    )


def _terms_row(terms: KeyTerms) -> tuple[str | int | None, ...]:
    return (
        terms.name,
        " ".join(terms.permissions),
        terms.rate_limit,
        " ".join(terms.allowed_ips),
        None if terms.expires_at is None else micros(terms.expires_at),
    )


def _key(row: Sequence[Any]) -> ApiKey:
    key_id, tenant, owner, environment, name, permissions, rate_limit, networks, expires_at = row[
        :9
    ]
    created_at, updated_at, last_used_at, uses, prefix = row[9:]
    return ApiKey(
        id=key_id,
        tenant=tenant,
        owner=owner,
        environment=Environment(environment),
        terms=KeyTerms(
            name=name,
            permissions=tuple(permissions.split()),
            rate_limit=rate_limit,
            allowed_ips=tuple(networks.split()),
            expires_at=_perhaps(expires_at),
        ),
        prefix=prefix,
        created_at=moment(created_at),
        updated_at=moment(updated_at),
        last_used_at=_perhaps(last_used_at),
        uses=uses or 0,
    )


def _perhaps(value: int | None) -> datetime | None:
    return None if value is None else moment(value)
