"""The sessions of a user, together."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.sessions import end_session
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.accounts import Ending, PageKey, SessionRecord
from auth_service.domain.events import SessionRevoked

_LIVE = "tenant = ? AND user_id = ? AND revoked_at IS NULL AND expires_at > ?"
_PAGE = f"""
SELECT id, address, network, user_agent, created_at, last_seen_at, expires_at, client_id
FROM sessions
WHERE {_LIVE} AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?
"""  # noqa: S608 - a constant
_SEEN = """
UPDATE sessions SET last_seen_at = ? WHERE id = ? AND coalesce(last_seen_at, created_at) < ?
"""
_END = 2**63 - 1


class SqliteSessionList:
    """The port `SessionList`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def page(
        self, tenant: str, user_id: str, now: datetime, after: PageKey | None, limit: int
    ) -> Sequence[SessionRecord]:
        """See the port."""
        key = (_END, "") if after is None else (micros(after.at), after.id)
        values = (tenant, user_id, micros(now), *key, limit)
        rows = await self._ledger.database.read(
            lambda connection: connection.execute(_PAGE, values).fetchall()
        )
        return [_record(row) for row in rows]

    async def end(self, tenant: str, user_id: str, ending: Ending) -> Sequence[str]:
        """See the port."""
        return await self._ledger.write(lambda entry: end_sessions(entry, tenant, user_id, ending))

    async def seen(self, sightings: Mapping[str, datetime]) -> None:
        """See the port."""
        values = [(micros(at), session, micros(at)) for session, at in sightings.items()]

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(_SEEN, values)

        await self._ledger.database.write(work)


def end_sessions(entry: Entry, tenant: str, user_id: str, ending: Ending) -> Sequence[str]:
    """End every live session of the user but the spared one; their ids."""
    found = entry.connection.execute(
        f"SELECT id FROM sessions WHERE {_LIVE} AND id <> ? ORDER BY id",  # noqa: S608 - a constant
        (tenant, user_id, micros(ending.at), ending.spare),
    ).fetchall()
    ended = [session_id for (session_id,) in found]
    for number, session_id in enumerate(ended):
        event = SessionRevoked(
            id=f"{ending.id}-{number}",
            session_id=session_id,
            user_id=user_id,
            tenant=tenant,
            reason=ending.reason,
            at=ending.at,
        )
        end_session(entry, event, ending.forget_at)
    return ended


def _record(row: tuple[str, str, str, str, int, int | None, int, str]) -> SessionRecord:
    session_id, address, network, user_agent = row[:4]
    created_at, last_seen_at, expires_at, client_id = row[4:]
    return SessionRecord(
        id=session_id,
        address=address,
        network=network,
        user_agent=user_agent,
        created_at=moment(created_at),
        last_seen_at=moment(last_seen_at if last_seen_at is not None else created_at),
        expires_at=moment(expires_at),
        client_id=client_id,
    )
