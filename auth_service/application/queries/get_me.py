"""GetMe: users see themselves."""

from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Users
from auth_service.application.profiles import Profile
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import UserNotFound


@dataclass(frozen=True, slots=True)
class GetMe:
    """The caller's own record."""

    tenant: str
    user_id: str
    session_id: str | None
    """None: by an API key, which was looked up a moment ago."""


@dataclass(frozen=True, slots=True)
class GetMeHandler:
    """Raises `SessionOver` when the caller was logged out meanwhile."""

    users: Users
    live: LiveSessions
    books: RoleBooks

    async def __call__(self, query: GetMe) -> Profile:
        if query.session_id is not None:
            await self.live.require(query.session_id)
        user = await self.users.find(query.tenant, query.user_id)
        if user is None:
            raise UserNotFound
        permissions = await self.books.permissions_of(user.tenant, user.roles)
        return Profile(user, permissions)
