"""Where users have logged in from, on SQLite."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.places import MOST, known_among
from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.accounts import KnownPlaces, Place, SeenPlace
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.events import Event

_ALL = "SELECT kind, value, first_at, last_at FROM login_places WHERE user_id = ? ORDER BY last_at"
_REMEMBER = """
INSERT INTO login_places (user_id, kind, value, first_at, last_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (user_id, kind, value) DO UPDATE SET last_at = max(last_at, excluded.last_at)
"""
_TRIM = """
DELETE FROM login_places WHERE user_id = ?1 AND kind = ?2 AND value NOT IN (
    SELECT value FROM login_places WHERE user_id = ?1 AND kind = ?2 ORDER BY last_at DESC LIMIT ?3
)
"""


class SqliteLoginPlaces:
    """The port `LoginPlaces`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def known(self, user_id: str, places: Sequence[Place]) -> KnownPlaces:
        """See the port."""
        return known_among(await self.all(user_id), places)

    async def all(self, user_id: str) -> Sequence[SeenPlace]:
        """See the port."""
        rows = await self._ledger.database.read(
            lambda connection: connection.execute(_ALL, (user_id,)).fetchall()
        )
        return [
            SeenPlace(Place(kind, value), moment(first_at), moment(last_at))
            for kind, value, first_at, last_at in rows
        ]

    async def remember(
        self,
        user_id: str,
        places: Sequence[Place],
        at: datetime,
        events: Sequence[Event] = (),
        mails: Sequence[OutgoingMail] = (),
    ) -> None:
        """See the port."""
        when = micros(at)

        def work(entry: Entry) -> None:
            for place in places:
                values = (user_id, place.kind, place.value, when, when)
                entry.connection.execute(_REMEMBER, values)
                entry.connection.execute(_TRIM, (user_id, place.kind, MOST))
            for event in events:
                entry.announce(event)
            for mail in mails:
                entry.post(mail)

        await self._ledger.write(work)
