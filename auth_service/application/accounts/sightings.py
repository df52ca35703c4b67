"""When sessions were last in use: noted in memory, written together now and then.

Verifying a token never writes. What is noted here is lost in a crash: up to a minute of it.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from auth_service.application.ports.accounts import SessionList, SessionRecord
from chassis.clock import Clock
from chassis.errors import Unavailable

MOST = 50_000
"""Sessions that are noted between two writes; more are not, until the next."""


@dataclass(slots=True)
class Sightings:
    """The latest sighting of each session since the last `flush`."""

    sessions: SessionList
    clock: Clock
    _seen: dict[str, datetime] = field(default_factory=dict)

    def saw(self, session_id: str) -> None:
        """It is in use right now."""
        if len(self._seen) < MOST or session_id in self._seen:
            self._seen[session_id] = self.clock.now()

    def applied(self, record: SessionRecord) -> SessionRecord:
        """*record* with what is known here and not yet written."""
        seen = self._seen.get(record.id, record.last_seen_at)
        return replace(record, last_seen_at=max(seen, record.last_seen_at))

    async def flush(self) -> None:
        """Write what was noted, in one transaction.

        Raises:
            Unavailable: the store is away; the next flush has it all.
        """
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            await self.sessions.seen(seen)
        except Unavailable:
            self._seen = {**seen, **self._seen}
            raise
