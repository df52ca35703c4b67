"""Logins in browsers, and what users have agreed to there, on SQLite."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.oauth_documents import client_of, encode, login_of
from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.oauth_rows import end_sessions
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.sqlite.sessions import open_session
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.oauth import Browser, Consent, Ending
from auth_service.domain.session import Session

_FIND = """
SELECT oauth_browsers.tenant, document, oauth_browsers.expires_at
FROM oauth_browsers JOIN sessions ON sessions.id = oauth_browsers.session_id
WHERE digest = ? AND oauth_browsers.expires_at > ? AND sessions.revoked_at IS NULL
"""

_WITHOUT_OFFLINE = """
(id = ?1 OR (parent_id = ?1 AND NOT EXISTS (
    SELECT 1 FROM refresh_tokens WHERE refresh_tokens.session_id = sessions.id
)))
"""


class SqliteBrowsers:
    """The port `Browsers`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def find(self, digest: bytes, now: datetime) -> Browser | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(_FIND, (digest, micros(now))).fetchone()
        )
        return Browser(digest, row[0], login_of(row[1]), moment(row[2])) if row else None

    async def open(
        self, browser: Browser, session: Session, *, before: bytes, ending: Ending
    ) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            connection = entry.connection
            condition = "id = (SELECT session_id FROM oauth_browsers WHERE digest = ?)"
            end_sessions(entry, condition, (before,), ending)
            connection.execute("DELETE FROM oauth_browsers WHERE digest = ?", (before,))
            open_session(connection, session, browser.expires_at)
            connection.execute(
                "INSERT INTO oauth_browsers VALUES (?, ?, ?, ?, ?)",
                (
                    browser.digest,
                    browser.tenant,
                    session.id,
                    encode(browser.login),
                    micros(browser.expires_at),
                ),
            )
            connection.execute(
                "UPDATE oauth_requests SET browser = ? WHERE browser = ?", (browser.digest, before)
            )

        await self._ledger.write(work)

    async def end(self, browser: Browser, ending: Ending) -> Sequence[str]:
        """See the port."""

        def work(entry: Entry) -> Sequence[str]:
            entry.connection.execute(
                "DELETE FROM oauth_browsers WHERE digest = ?", (browser.digest,)
            )
            return end_sessions(entry, _WITHOUT_OFFLINE, (browser.login.session_id,), ending)

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await self._database.write(lambda connection: drop_ended(connection, now, "oauth_browsers"))


class SqliteConsents:
    """The port `Consents`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def find(self, user_id: str, client_id: str) -> Sequence[str]:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT scopes FROM oauth_consents WHERE user_id = ? AND client_id = ?",
                (user_id, client_id),
            ).fetchone()
        )
        return str(row[0]).split() if row else ()

    async def of(self, user_id: str) -> Sequence[Consent]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT client_id, document, scopes, granted_at FROM oauth_consents "
                "JOIN oauth_clients ON oauth_clients.id = client_id "
                "WHERE user_id = ? ORDER BY client_id",
                (user_id,),
            ).fetchall()
        )
        return [
            Consent(client_id, client_of(document).name, tuple(scopes.split()), moment(at))
            for client_id, document, scopes, at in rows
        ]

    async def withdraw(self, user_id: str, client_id: str, ending: Ending) -> Sequence[str] | None:
        """See the port."""

        def work(entry: Entry) -> Sequence[str] | None:
            dropped = entry.connection.execute(
                "DELETE FROM oauth_consents WHERE user_id = ? AND client_id = ?",
                (user_id, client_id),
            )
            condition = "client_id = ? AND user_id = ?"
            ended = end_sessions(entry, condition, (client_id, user_id), ending)
            return ended if dropped.rowcount or ended else None

        return await self._ledger.write(work)
