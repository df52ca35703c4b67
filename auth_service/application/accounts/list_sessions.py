"""ListSessions: where a user is logged in."""

from dataclasses import dataclass

from auth_service.application.accounts.paging import Page, key_of, page_of, size_of
from auth_service.application.accounts.sightings import Sightings
from auth_service.application.ports.accounts import PageKey, SessionList, SessionRecord
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class ListSessions:
    """The live sessions of a user, the newest first."""

    tenant: str
    user_id: str
    limit: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ListSessionsHandler:
    """Raises `InputInvalid` for a limit or cursor that cannot be."""

    sessions: SessionList
    sightings: Sightings
    clock: Clock

    async def __call__(self, query: ListSessions) -> Page[SessionRecord]:
        size, key = size_of(query.limit), key_of(query.cursor)
        found = await self.sessions.page(
            query.tenant, query.user_id, self.clock.now(), key, size + 1
        )
        current = [self.sightings.applied(record) for record in found]
        return page_of(current, size, lambda record: PageKey(record.created_at, record.id))
