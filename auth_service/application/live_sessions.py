"""Which sessions count, remembered for a moment so that most checks need no read."""

from collections import OrderedDict
from dataclasses import dataclass, field

from auth_service.application.ports import Sessions
from auth_service.domain.errors import SessionOver
from auth_service.domain.session import LiveSession
from chassis.clock import Clock

MAX_AGE = 1.0
"""Seconds. What another replica revokes is refused here after this time at the latest."""

CAPACITY = 10_000


@dataclass(slots=True)
class LiveSessions:
    """A bounded cache of live sessions; what is revoked in this process is forgotten at once."""

    sessions: Sessions
    clock: Clock
    max_age: float = MAX_AGE
    capacity: int = CAPACITY
    _known: OrderedDict[str, tuple[float, LiveSession]] = field(default_factory=OrderedDict)
    _forgotten: int = 0

    async def find(self, session_id: str, *, fresh: bool = False) -> LiveSession | None:
        """The session, unless it is unknown, revoked or expired; at most one indexed read.

        *fresh*: read it, even if it was read a moment ago.
        """
        read_at = self.clock.monotonic()
        known = None if fresh else self._known.get(session_id)
        if known is not None and read_at - known[0] < self.max_age:
            return known[1]
        forgotten = self._forgotten
        session = await self.sessions.find_live(session_id, self.clock.now())
        # Whoever forgot anything during the read may have meant what was just read.
        if session is not None and forgotten == self._forgotten:
            self._remember(read_at, session)
        return session

    async def require(self, session_id: str) -> LiveSession:
        """The session.

        Raises:
            SessionOver: it is unknown, revoked or expired.
        """
        session = await self.find(session_id)
        if session is None:
            raise SessionOver
        return session

    def forget(self, session_id: str) -> None:
        """Look the session up afresh from now on."""
        self._forgotten += 1
        self._known.pop(session_id, None)

    def forget_user(self, user_id: str) -> None:
        """Look all sessions of the user up afresh from now on: their rights changed."""
        self._forgotten += 1
        for session_id in [at for at, (_, each) in self._known.items() if each.user.id == user_id]:
            del self._known[session_id]

    def forget_all(self) -> None:
        """Look every session up afresh from now on: what roles mean changed."""
        self._forgotten += 1
        self._known.clear()

    def _remember(self, read_at: float, session: LiveSession) -> None:
        self._known[session.id] = (read_at, session)
        self._known.move_to_end(session.id)
        if len(self._known) > self.capacity:
            self._known.popitem(last=False)
