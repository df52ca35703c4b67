"""Devices that wait for their users on SQLite."""

from datetime import datetime

from auth_service.adapters.oauth_documents import device_of, encode, granted_of
from auth_service.adapters.oauth_rules import REMEMBERED, asked
from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.oauth_grants import replayed
from auth_service.adapters.sqlite.oauth_rows import open_granted
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.times import micros
from auth_service.application.ports.oauth import (
    Ending,
    Unknown,
)
from auth_service.application.ports.oauth_devices import (
    Approved,
    Denied,
    Expired,
    Opening,
    Poll,
)
from auth_service.domain.oauth.device import DeviceGrant

_ADD = """
INSERT INTO oauth_devices (digest, user_code, client_id, document, expires_at, interval)
VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (user_code) DO NOTHING
"""

_SPEND = """
UPDATE oauth_devices SET used_at = ?, session_id = ?
WHERE digest = ? AND used_at IS NULL AND state = 'approved'
"""


class SqliteDeviceGrants:
    """The port `DeviceGrants`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(self, grant: DeviceGrant) -> bool:
        """See the port."""
        values = (
            grant.digest,
            grant.user_code,
            grant.client_id,
            encode(grant),
            micros(grant.expires_at),
            grant.interval,
        )
        return await self._database.write(
            lambda connection: connection.execute(_ADD, values).rowcount == 1
        )

    async def find(self, user_code: bytes, now: datetime) -> DeviceGrant | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT document FROM oauth_devices "
                "WHERE user_code = ? AND state = 'pending' AND expires_at > ?",
                (user_code, micros(now)),
            ).fetchone()
        )
        return device_of(row[0]) if row else None

    async def poll(self, digest: bytes, client_id: str, opening: Opening, ending: Ending) -> Poll:
        """See the port."""
        now = micros(ending.at)

        def work(entry: Entry) -> Poll:
            row = entry.connection.execute(
                "SELECT state, granted, interval, asked_at, used_at, expires_at "
                "FROM oauth_devices WHERE digest = ? AND client_id = ?",
                (digest, client_id),
            ).fetchone()
            if row is None:
                return Unknown()
            state, granted, interval, asked_at, used_at, expires_at = row
            if used_at is not None:
                return replayed(entry, "oauth_devices", digest, ending)
            if expires_at <= now:
                return Expired()
            if state == "denied":
                return Denied()
            if state == "approved":
                return _spend(entry, digest, now, granted, opening)
            answer, interval = asked(now, asked_at, interval)
            _note(entry, digest, now, interval)
            return answer

        return await self._ledger.write(work)

    async def purge(self, now: datetime) -> None:
        """See `Perishables.purge`."""
        await self._database.write(
            lambda connection: drop_ended(connection, now - REMEMBERED, "oauth_devices")
        )


def _spend(entry: Entry, digest: bytes, now: int, document: bytes, opening: Opening) -> Poll:
    granted = granted_of(document)
    opened = opening(granted)
    spent = entry.connection.execute(_SPEND, (now, opened.session.id, digest))
    if spent.rowcount != 1:
        return Unknown()
    open_granted(entry.connection, opened)
    return Approved(granted)


def _note(entry: Entry, digest: bytes, now: int, interval: int) -> None:
    entry.connection.execute(
        "UPDATE oauth_devices SET asked_at = ?, interval = ? WHERE digest = ?",
        (now, interval, digest),
    )
