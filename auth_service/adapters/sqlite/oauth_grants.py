"""Authorization codes and what clients got for them on SQLite."""

from datetime import datetime

from auth_service.adapters.oauth_documents import code_of, granted_of
from auth_service.adapters.oauth_rules import REMEMBERED
from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.oauth_rows import (
    end_sessions,
    open_granted,
)
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.sqlite.sessions import end_session
from auth_service.adapters.times import micros
from auth_service.application.ports.oauth import (
    CodeRedemption,
    Ending,
    Opened,
    Redeemed,
    Replayed,
    Unknown,
)
from auth_service.domain.events import SessionRevoked
from auth_service.domain.oauth.grants import AuthorizationCode, Granted

_SPEND = """
UPDATE oauth_codes SET used_at = ?, session_id = ?
WHERE digest = ? AND used_at IS NULL AND expires_at > ?
"""

_HOLDER = """
SELECT session_id FROM refresh_tokens JOIN sessions ON sessions.id = session_id
WHERE digest = ? AND used_at IS NULL AND refresh_tokens.expires_at > ? AND revoked_at IS NULL
"""


class SqliteOAuthGrants:
    """The port `OAuthGrants`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def find_code(self, digest: bytes) -> AuthorizationCode | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT document FROM oauth_codes WHERE digest = ?", (digest,)
            ).fetchone()
        )
        return code_of(row[0]) if row else None

    async def redeem_code(self, digest: bytes, opened: Opened, ending: Ending) -> CodeRedemption:
        """See the port."""
        now = micros(ending.at)

        def work(entry: Entry) -> CodeRedemption:
            spent = entry.connection.execute(_SPEND, (now, opened.session.id, digest, now))
            if spent.rowcount == 1:
                open_granted(entry.connection, opened)
                return Redeemed()
            return replayed(entry, "oauth_codes", digest, ending)

        return await self._ledger.write(work)

    async def revoke_spent(self, digest: bytes, ending: Ending) -> CodeRedemption:
        """See the port."""
        return await self._ledger.write(
            lambda entry: replayed(entry, "oauth_codes", digest, ending)
        )

    async def open(self, opened: Opened) -> None:
        """See the port."""
        await self._database.write(lambda connection: open_granted(connection, opened))

    async def find(self, session_id: str) -> Granted | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT document FROM oauth_grants WHERE session_id = ?", (session_id,)
            ).fetchone()
        )
        return granted_of(row[0]) if row else None

    async def session_of(self, refresh_digest: bytes, now: datetime) -> str | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(_HOLDER, (refresh_digest, micros(now))).fetchone()
        )
        return str(row[0]) if row else None

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """See the port."""
        return await self._ledger.write(lambda entry: end_session(entry, event, forget_at))

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await self._database.write(
            lambda connection: drop_ended(connection, now - REMEMBERED, "oauth_codes")
        )


def replayed(entry: Entry, table: str, digest: bytes, ending: Ending) -> Replayed | Unknown:
    """End what was got for a code that is spent."""
    row = entry.connection.execute(
        f"SELECT session_id, user_id FROM {table} JOIN sessions ON sessions.id = session_id "  # noqa: S608
        "WHERE digest = ? AND used_at IS NOT NULL",
        (digest,),
    ).fetchone()
    if row is None:
        return Unknown()
    ended = end_sessions(entry, "id = ?", (row[0],), ending)
    return Replayed(row[0], row[1], bool(ended))
