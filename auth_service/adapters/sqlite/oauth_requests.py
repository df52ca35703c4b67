"""Authorization requests on their way on SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from auth_service.adapters.oauth_documents import encode, pending_of, pushed_of
from auth_service.adapters.sqlite.oauth_rows import open_granted
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.times import micros
from auth_service.application.ports.oauth import Outcome, Pending
from chassis.storage.sqlite import SqliteDatabase

_TAKE = """
UPDATE oauth_pushed SET used_at = :now
WHERE digest = :digest AND client_id = :client AND used_at IS NULL AND expires_at > :now
RETURNING document
"""

_CONSENT = """
INSERT INTO oauth_consents (user_id, client_id, scopes, granted_at) VALUES (?, ?, ?, ?)
ON CONFLICT (user_id, client_id)
DO UPDATE SET scopes = excluded.scopes, granted_at = excluded.granted_at
"""


class SqliteAuthorizationRequests:
    """The port `AuthorizationRequests`."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def push(
        self, digest: bytes, client_id: str, values: Mapping[str, str], expires_at: datetime
    ) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO oauth_pushed (digest, client_id, document, expires_at) "
                "VALUES (?, ?, ?, ?)",
                (digest, client_id, encode(values), micros(expires_at)),
            )
        )

    async def take_pushed(
        self, digest: bytes, client_id: str, now: datetime
    ) -> Mapping[str, str] | None:
        """See the port."""
        named = {"digest": digest, "client": client_id, "now": micros(now)}
        row = await self._database.write(
            lambda connection: connection.execute(_TAKE, named).fetchone()
        )
        return pushed_of(row[0]) if row else None

    async def add(self, pending: Pending) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO oauth_requests (digest, browser, client_id, document, expires_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    pending.digest,
                    pending.browser,
                    pending.request.client_id,
                    encode(pending),
                    micros(pending.expires_at),
                ),
            )
        )

    async def find(self, digest: bytes, now: datetime) -> Pending | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT document, browser FROM oauth_requests "
                "WHERE digest = ? AND finished_at IS NULL AND expires_at > ?",
                (digest, micros(now)),
            ).fetchone()
        )
        # The browser's column counts: a login gives it a new cookie.
        return replace(pending_of(row[0]), browser=row[1]) if row else None

    async def finish(
        self, pending: Pending, outcome: Outcome, *, consent: Sequence[str] | None, now: datetime
    ) -> bool:
        """See the port."""

        def work(connection: sqlite3.Connection) -> bool:
            finished = connection.execute(
                "UPDATE oauth_requests SET finished_at = ? "
                "WHERE digest = ? AND finished_at IS NULL AND expires_at > ?",
                (micros(now), pending.digest, micros(now)),
            )
            if finished.rowcount != 1:
                return False
            _come_of(connection, outcome)
            granted = outcome.granted
            if granted is not None and consent is not None:
                values = (granted.user_id, granted.client_id, " ".join(consent), micros(now))
                connection.execute(_CONSENT, values)
            return True

        return await self._database.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await self._database.write(
            lambda connection: drop_ended(connection, now, "oauth_requests", "oauth_pushed")
        )


def _come_of(connection: sqlite3.Connection, outcome: Outcome) -> None:
    code = outcome.code
    if code is not None:
        connection.execute(
            "INSERT INTO oauth_codes (digest, client_id, document, expires_at) VALUES (?, ?, ?, ?)",
            (code.digest, code.granted.client_id, encode(code), micros(code.expires_at)),
        )
    if outcome.opened is not None:
        open_granted(connection, outcome.opened)
    if outcome.device:
        granted = outcome.granted
        connection.execute(
            "UPDATE oauth_devices SET state = ?, granted = ? WHERE digest = ? AND state = 'pending'",
            (
                "approved" if granted else "denied",
                encode(granted) if granted else None,
                outcome.device,
            ),
        )
