"""Clients, their secrets and their service accounts on SQLite."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.oauth_documents import client_of, encode
from auth_service.adapters.oauth_rules import FOR_EVER, account_session, account_user
from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.oauth_rows import end_sessions
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.sqlite.rows import COLUMNS, PLACES, user_row
from auth_service.adapters.sqlite.sessions import open_session
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.oauth import Ending, ServiceAccount
from auth_service.application.ports.revocations import Change
from auth_service.domain.errors import ClientNotFound
from auth_service.domain.oauth.client import Client, ClientSecret
from auth_service.domain.session import Session

_NEW_USER = f"INSERT INTO users ({COLUMNS}, kind) VALUES ({PLACES}, 'service')"  # noqa: S608
_LIVE = "oauth_client_secrets WHERE client_id = ? AND (expires_at IS NULL OR expires_at > ?)"
_LEFT = (
    "oauth_codes",
    "oauth_pushed",
    "oauth_requests",
    "oauth_devices",
    "oauth_assertions",
)


class SqliteOAuthClients:
    """The port `OAuthClients`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(
        self, client: Client, secret: ClientSecret | None, account: ServiceAccount | None
    ) -> None:
        """See the port."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO oauth_clients (id, tenant, document, session_id) VALUES (?, ?, ?, ?)",
                (client.id, client.tenant, encode(client), account.session_id if account else ""),
            )
            if account is not None:
                _add_account(connection, client, account)
            if secret is not None:
                _add_secret(connection, client.id, secret)

        await self._database.write(work)

    async def replace(
        self, client: Client, account: ServiceAccount | None, change: Change | None
    ) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            _set(entry.connection, client, "document", encode(client))
            if account is not None:
                _set_account(entry.connection, client, account)
            if change is not None:
                entry.revoke(change)

        await self._ledger.write(work)

    async def find(self, client_id: str) -> Client | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT document FROM oauth_clients WHERE id = ?", (client_id,)
            ).fetchone()
        )
        return client_of(row[0]) if row else None

    async def page(self, tenant: str, *, after: str, limit: int) -> Sequence[Client]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT document FROM oauth_clients WHERE tenant = ? AND id > ? "
                "ORDER BY id LIMIT ?",
                (tenant, after, limit),
            ).fetchall()
        )
        return [client_of(document) for (document,) in rows]

    async def secrets(self, client_id: str, now: datetime) -> Sequence[ClientSecret]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                f"SELECT digest, created_at, expires_at FROM {_LIVE} ORDER BY created_at",  # noqa: S608
                (client_id, micros(now)),
            ).fetchall()
        )
        return [
            ClientSecret(digest, moment(made), moment(ends) if ends is not None else None)
            for digest, made, ends in rows
        ]

    async def rotate(self, client: Client, secret: ClientSecret, *, old_until: datetime) -> None:
        """See the port."""
        now = micros(secret.created_at)

        def work(connection: sqlite3.Connection) -> None:
            _set(connection, client, "tenant", client.tenant)  # or there is no such client
            latest = connection.execute(
                f"SELECT digest FROM {_LIVE} ORDER BY created_at DESC LIMIT 1",  # noqa: S608
                (client.id, now),
            ).fetchone()
            connection.execute(
                "DELETE FROM oauth_client_secrets WHERE client_id = ? AND digest IS NOT ?",
                (client.id, latest[0] if latest else None),
            )
            connection.execute(
                "UPDATE oauth_client_secrets SET expires_at = ? WHERE client_id = ?",
                (micros(old_until), client.id),
            )
            _add_secret(connection, client.id, secret)

        await self._database.write(work)

    async def delete(self, client: Client, ending: Ending) -> Sequence[str]:
        """See the port."""

        def work(entry: Entry) -> Sequence[str]:
            for table in _LEFT:
                entry.connection.execute(f"DELETE FROM {table} WHERE client_id = ?", (client.id,))  # noqa: S608
            entry.connection.execute("DELETE FROM oauth_clients WHERE id = ?", (client.id,))
            entry.connection.execute(
                "UPDATE users SET roles = '' WHERE id = ? AND kind = 'service'",
                (client.service_account,),
            )
            return end_sessions(entry, "client_id = ?", (client.id,), ending)

        return await self._ledger.write(work)

    async def session_of(self, client: Client) -> str:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT session_id FROM oauth_clients WHERE id = ?", (client.id,)
            ).fetchone()
        )
        return str(row[0]) if row else ""

    async def renew_session(self, client: Client, session: Session, ending: Ending) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            condition = "client_id = ? AND user_id = ?"
            end_sessions(entry, condition, (client.id, client.service_account), ending)
            _set(entry.connection, client, "session_id", session.id)
            open_session(entry.connection, session, FOR_EVER)

        await self._ledger.write(work)

    async def first_use(self, client_id: str, assertion: bytes, expires_at: datetime) -> bool:
        """See the port."""
        inserted = await self._database.write(
            lambda connection: (
                connection.execute(
                    "INSERT INTO oauth_assertions (client_id, digest, expires_at) VALUES (?, ?, ?) "
                    "ON CONFLICT (client_id, digest) DO NOTHING",
                    (client_id, assertion, micros(expires_at)),
                ).rowcount
            )
        )
        return inserted == 1

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await self._database.write(
            lambda connection: drop_ended(
                connection, now, "oauth_assertions", "oauth_client_secrets"
            )
        )


def _set(connection: sqlite3.Connection, client: Client, column: str, value: str | bytes) -> None:
    """Change the client.

    Raises:
        ClientNotFound: it is gone.
    """
    changed = connection.execute(
        f"UPDATE oauth_clients SET {column} = ? WHERE id = ? AND tenant = ?",  # noqa: S608 - ours
        (value, client.id, client.tenant),
    )
    if changed.rowcount != 1:
        raise ClientNotFound


def _add_secret(connection: sqlite3.Connection, client_id: str, secret: ClientSecret) -> None:
    expires = micros(secret.expires_at) if secret.expires_at else None
    connection.execute(
        "INSERT INTO oauth_client_secrets VALUES (?, ?, ?, ?)",
        (secret.digest, client_id, micros(secret.created_at), expires),
    )


def _add_account(connection: sqlite3.Connection, client: Client, account: ServiceAccount) -> None:
    connection.execute(_NEW_USER, user_row(account_user(client, account)))
    open_session(connection, account_session(client, account), FOR_EVER)


def _set_account(connection: sqlite3.Connection, client: Client, account: ServiceAccount) -> None:
    changed = connection.execute(
        "UPDATE users SET roles = ?, name = ?, updated_at = ? WHERE id = ? AND kind = 'service'",
        (" ".join(account.roles), client.name, micros(client.updated_at), account.user_id),
    )
    if changed.rowcount == 0:
        _add_account(connection, client, account)
        _set(connection, client, "session_id", account.session_id)
