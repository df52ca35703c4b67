"""Sessions, their refresh tokens and the feed of revocations on SQLite."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from auth_service.adapters.sqlite.event_log import announce
from auth_service.adapters.sqlite.rows import USER_COLUMNS, micros, moment, user_from
from auth_service.adapters.sqlite.tide import Tide
from auth_service.application.ports import (
    NotRedeemable,
    Redemption,
    Reused,
    Revocation,
    RevocationTimes,
    Rotated,
)
from auth_service.domain.events import SessionRevoked
from auth_service.domain.session import LiveSession, RefreshGrant, RevocationReason, Session
from chassis.storage.sqlite import SqliteDatabase

_FIND_LIVE = f"""
SELECT {USER_COLUMNS} FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = ? AND sessions.revoked_at IS NULL AND sessions.expires_at > ?
"""  # noqa: S608 - a constant

_SPEND = """
UPDATE refresh_tokens SET used_at = :now
WHERE digest = :digest AND used_at IS NULL AND expires_at > :now AND EXISTS (
    SELECT 1 FROM sessions WHERE id = refresh_tokens.session_id AND revoked_at IS NULL
)
RETURNING session_id, generation
"""

_SPENT = """
SELECT refresh_tokens.session_id, generation, user_id, tenant
FROM refresh_tokens JOIN sessions ON sessions.id = refresh_tokens.session_id
WHERE digest = ? AND used_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Positions:
    """Where a write left its marks; 0 where it left none."""

    announced: int = 0
    revoked: int = 0


class SqliteSessions:
    """The ports `Sessions` and `Revocations`; the tides rise with every event and revocation."""

    def __init__(self, database: SqliteDatabase, *, announced: Tide, revoked: Tide) -> None:
        self._database = database
        self._announced = announced
        self._revoked = revoked

    async def open(self, session: Session, first: RefreshGrant) -> None:
        """See the port."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
                _session_row(session, first),
            )
            _add_token(connection, session.id, 1, first)

        await self._database.write(work)

    async def redeem(
        self, digest: bytes, successor: RefreshGrant, *, event_id: str, times: RevocationTimes
    ) -> Redemption:
        """See the port."""

        def work(connection: sqlite3.Connection) -> tuple[Redemption, _Positions]:
            spent = connection.execute(
                _SPEND, {"digest": digest, "now": micros(times.at)}
            ).fetchone()
            if spent is not None:
                session_id, generation = spent
                return _rotate(connection, session_id, generation, successor), _Positions()
            return _refuse(connection, digest, event_id, times)

        outcome, positions = await self._database.write(work)
        self._rise(positions)
        return outcome

    async def revoke(self, event: SessionRevoked, *, forget_at: datetime) -> bool:
        """See the port."""
        positions = await self._database.write(
            lambda connection: _revoke(connection, event, forget_at)
        )
        self._rise(positions)
        return positions.revoked > 0

    async def find_live(self, session_id: str, now: datetime) -> LiveSession | None:
        """See the port."""
        row = await self._database.read(
            lambda connection: connection.execute(_FIND_LIVE, (session_id, micros(now))).fetchone()
        )
        return LiveSession(session_id, user_from(row)) if row else None

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

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM revocations WHERE forget_at <= ?", (micros(now),))
            connection.execute("DELETE FROM sessions WHERE expires_at <= ?", (micros(now),))
            connection.execute("DELETE FROM refresh_tokens WHERE expires_at <= ?", (micros(now),))

        await self._database.write(work)

    async def after(self, position: int, *, now: datetime, limit: int) -> Sequence[Revocation]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT position, session_id, forget_at FROM revocations "
                "WHERE position > ? AND forget_at > ? ORDER BY position LIMIT ?",
                (position, micros(now), limit),
            ).fetchall()
        )
        return [Revocation(at, session_id, moment(forget_at)) for at, session_id, forget_at in rows]

    async def wait(self, position: int, *, seconds: float) -> None:
        """See the port."""
        await self._revoked.above(position, seconds=seconds)

    def _rise(self, positions: _Positions) -> None:
        self._announced.rise(positions.announced)
        self._revoked.rise(positions.revoked)


def _session_row(session: Session, first: RefreshGrant) -> tuple[str | int, ...]:
    return (
        session.id,
        session.user_id,
        session.tenant,
        session.origin.network,
        session.origin.address,
        session.origin.user_agent,
        micros(session.created_at),
        micros(first.expires_at),
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
        "UPDATE sessions SET expires_at = ? WHERE id = ?",
        (micros(successor.expires_at), session_id),
    )
    row = connection.execute(_FIND_LIVE, (session_id, micros(successor.issued_at))).fetchone()
    return Rotated(LiveSession(session_id, user_from(row)))


def _refuse(
    connection: sqlite3.Connection, digest: bytes, event_id: str, times: RevocationTimes
) -> tuple[NotRedeemable | Reused, _Positions]:
    spent = connection.execute(_SPENT, (digest,)).fetchone()
    if spent is None:
        return NotRedeemable(), _Positions()
    session_id, generation, user_id, tenant = spent
    event = SessionRevoked(
        id=event_id,
        session_id=session_id,
        user_id=user_id,
        tenant=tenant,
        reason=RevocationReason.REFRESH_TOKEN_REUSED,
        at=times.at,
    )
    positions = _revoke(connection, event, times.forget_at)
    return Reused(session_id, user_id, generation, positions.revoked > 0), positions


def _revoke(
    connection: sqlite3.Connection, event: SessionRevoked, forget_at: datetime
) -> _Positions:
    ended = connection.execute(
        "UPDATE sessions SET revoked_at = ?, revoked_because = ? "
        "WHERE id = ? AND tenant = ? AND user_id = ? AND revoked_at IS NULL",
        (micros(event.at), event.reason.value, event.session_id, event.tenant, event.user_id),
    )
    if ended.rowcount != 1:
        return _Positions()
    revoked = connection.execute(
        "INSERT INTO revocations (session_id, forget_at) VALUES (?, ?)",
        (event.session_id, micros(forget_at)),
    )
    return _Positions(announce(connection, event), revoked.lastrowid or 0)
