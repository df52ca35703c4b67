"""GetMe: users see themselves."""

from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Users
from auth_service.domain.errors import UserNotFound
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class GetMe:
    """The caller's own record."""

    tenant: str
    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class GetMeHandler:
    """Raises `SessionOver` when the caller was logged out meanwhile."""

    users: Users
    live: LiveSessions

    async def __call__(self, query: GetMe) -> User:
        await self.live.require(query.session_id)
        user = await self.users.find(query.tenant, query.user_id)
        if user is None:
            raise UserNotFound
        return user
