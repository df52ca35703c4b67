"""Sessions and their refresh tokens on SQLite."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.sqlite.rows import USER_COLUMNS, user_from
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import (
    Change,
    NotRedeemable,
    Redemption,
    Reused,
    RevocationKind,
    RevocationTimes,
    Rotated,
)
from auth_service.domain.events import SessionRevoked
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.session import LiveSession, RefreshGrant, RevocationReason, Session

_FIND_LIVE = f"""
SELECT {USER_COLUMNS}, proved_at, amr, EXISTS (
    SELECT 1 FROM mfa_factors WHERE user_id = users.id AND confirmed_at IS NOT NULL
)
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = ? AND sessions.revoked_at IS NULL AND sessions.expires_at > ?
    AND users.disabled_at IS NULL
"""  # noqa: S608 - a constant

_OPEN = """
INSERT INTO sessions (
    id, user_id, tenant, network, address, user_agent, created_at, expires_at,
    proved_at, amr, client_id, parent_id
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_PROVE = """
UPDATE sessions SET proved_at = :at, amr = :amr WHERE id = :id AND revoked_at IS NULL
"""

_SPEND = """
UPDATE refresh_tokens SET used_at = :now
WHERE digest = :digest AND used_at IS NULL AND expires_at > :now AND EXISTS (
    SELECT 1 FROM sessions JOIN users ON users.id = sessions.user_id
    WHERE sessions.id = refresh_tokens.session_id AND revoked_at IS NULL AND client_id = :client
        AND users.disabled_at IS NULL
)
RETURNING session_id, generation
"""

_SPENT = """
SELECT refresh_tokens.session_id, generation, user_id, tenant
FROM refresh_tokens JOIN sessions ON sessions.id = refresh_tokens.session_id
WHERE digest = :digest AND (used_at IS NOT NULL OR client_id != :client)
"""


class SqliteSessions:
    """The port `Sessions`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def open(self, session: Session, first: RefreshGrant) -> None:
        """See the port."""

        await self._database.write(
            lambda connection: open_session(connection, session, first.expires_at, first)
        )

    async def redeem(
        self,
        digest: bytes,
        successor: RefreshGrant,
        *,
        event_id: str,
        times: RevocationTimes,
        client_id: str = "",
    ) -> Redemption:
        """See the port."""
        named = {"digest": digest, "client": client_id, "now": micros(times.at)}

        def work(entry: Entry) -> Redemption:
            spent = entry.connection.execute(_SPEND, named).fetchone()
            if spent is not None:
                session_id, generation = spent
                return _rotate(entry.connection, session_id, generation, successor)
            return _refuse(entry, named, event_id, times)

        return await self._ledger.write(work)

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """See the port."""
        return await self._ledger.write(lambda entry: end_session(entry, event, forget_at))

    async def find_live(self, session_id: str, now: datetime) -> LiveSession | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(_FIND_LIVE, (session_id, micros(now))).fetchone()
        )
        return _live(session_id, row) if row else None

    async def prove(self, session_id: str, proof: Proof, change: Change) -> bool:
        """See the port."""
        values = {
            "id": session_id,
            "at": micros(proof.at),
            "amr": " ".join(proof.amr),
        }

        def work(entry: Entry) -> bool:
            if entry.connection.execute(_PROVE, values).rowcount != 1:
                return False
            entry.revoke(change)
            return True

        return await self._ledger.write(work)

    async def is_known_network(self, user_id: str, network: str, now: datetime) -> bool:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(
                "SELECT 1 FROM sessions WHERE user_id = ? AND network = ? "
                "AND revoked_at IS NULL AND expires_at > ? LIMIT 1",
                (user_id, network, micros(now)),
            ).fetchone()
        )
        return row is not None

    async def purge(self, now: datetime) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: drop_ended(connection, now, "sessions", "refresh_tokens")
        )


def open_session(
    connection: sqlite3.Connection,
    session: Session,
    expires_at: datetime,
    refresh: RefreshGrant | None = None,
) -> None:
    """Keep *session*, and the first of its refresh tokens when it has any."""
    connection.execute(_OPEN, _session_row(session, expires_at))
    if refresh is not None:
        _add_token(connection, session.id, 1, refresh)


def _session_row(session: Session, expires_at: datetime) -> tuple[str | int, ...]:
    return (
        session.id,
        session.user_id,
        session.tenant,
        session.origin.network,
        session.origin.address,
        session.origin.user_agent,
        micros(session.created_at),
        micros(expires_at),
        micros(session.proof.at),
        " ".join(session.proof.amr),
        session.client_id,
        session.parent_id,
    )


def _add_token(
    connection: sqlite3.Connection, session_id: str, generation: int, grant: RefreshGrant
) -> None:
    connection.execute(
        "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, ?, NULL)",
        (grant.digest, session_id, generation, micros(grant.issued_at), micros(grant.expires_at)),
    )


def _rotate(
    connection: sqlite3.Connection, session_id: str, generation: int, successor: RefreshGrant
) -> Rotated:
    _add_token(connection, session_id, generation + 1, successor)
    connection.execute(
        "UPDATE sessions SET expires_at = ?, last_seen_at = ? WHERE id = ?",
        (micros(successor.expires_at), micros(successor.issued_at), session_id),
    )
    row = connection.execute(_FIND_LIVE, (session_id, micros(successor.issued_at))).fetchone()
    return Rotated(_live(session_id, row))


def _live(session_id: str, row: tuple[Any, ...]) -> LiveSession:
    *user, proved_at, amr, has_factor = row
    proof = Proof(moment(proved_at), tuple(amr.split()))
    return LiveSession(session_id, user_from(tuple(user)), proof, bool(has_factor))


def _refuse(
    entry: Entry, named: Mapping[str, object], event_id: str, times: RevocationTimes
) -> NotRedeemable | Reused:
    spent = entry.connection.execute(_SPENT, named).fetchone()
    if spent is None:
        return NotRedeemable()
    session_id, generation, user_id, tenant = spent
    event = SessionRevoked(
        id=event_id,
        session_id=session_id,
        user_id=user_id,
        tenant=tenant,
        reason=RevocationReason.REFRESH_TOKEN_REUSED,
        at=times.at,
    )
    revoked = end_session(entry, event, times.forget_at)
    return Reused(session_id, user_id, generation, revoked, tenant)


def end_session(entry: Entry, event: SessionRevoked, forget_at: datetime) -> bool:
    """End the session, put it on the feed and announce it; whether it still lived."""
    ended = entry.connection.execute(
        "UPDATE sessions SET revoked_at = ?, revoked_because = ? "
        "WHERE id = ? AND tenant = ? AND user_id = ? AND revoked_at IS NULL",
        (micros(event.at), event.reason.value, event.session_id, event.tenant, event.user_id),
    )
    if ended.rowcount != 1:
        return False
    entry.revoke(Change(RevocationKind.SESSION, event.session_id, forget_at))
    entry.announce(event)
    return True
