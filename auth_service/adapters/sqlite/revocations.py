"""The feed of revocations on SQLite. It is written through `auth_service.adapters.sqlite.ledger`."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.bells import Tide
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import Change, Revocation, RevocationKind
from chassis.storage.sqlite import SqliteDatabase

_AFTER = """
SELECT position, kind, subject, forget_at FROM revocation_feed
WHERE position > ? AND forget_at > ? ORDER BY position LIMIT ?
"""


class SqliteRevocations:
    """The port `Revocations`."""

    def __init__(self, database: SqliteDatabase, revoked: Tide) -> None:
        self._database = database
        self._revoked = revoked

    async def after(self, position: int, *, now: datetime, limit: int) -> Sequence[Revocation]:
        """See the port."""
        rows = await self._database.read(
            lambda connection: connection.execute(_AFTER, (position, micros(now), limit)).fetchall()
        )
        return [
            Revocation(at, Change(RevocationKind(kind), subject, moment(forget_at)))
            for at, kind, subject, forget_at in rows
        ]

    def known(self) -> int:
        """See the port."""
        return self._revoked.level

    async def wait(self, position: int, *, seconds: float) -> None:
        """See the port."""
        await self._revoked.above(position, seconds=seconds)

    async def purge(self, now: datetime) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM revocation_feed WHERE forget_at <= ?", (micros(now),)
            )
        )
