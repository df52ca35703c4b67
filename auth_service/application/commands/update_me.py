"""UpdateMe: users change what is theirs to change."""

from dataclasses import dataclass, replace

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Audit, Users
from auth_service.application.profiles import Profile
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import InputInvalid, UserNotFound
from auth_service.domain.events import UserUpdated
from auth_service.domain.user import User, name_problems, tidy_name
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class UpdateMe:
    """Change the caller's own name; None leaves it."""

    tenant: str
    user_id: str
    session_id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class UpdateMeHandler:
    """Raises `InputInvalid`, or `SessionOver` when the caller was logged out meanwhile."""

    users: Users
    live: LiveSessions
    books: RoleBooks
    clock: Clock
    ids: Ids
    audit: Audit

    async def __call__(self, command: UpdateMe) -> Profile:
        await self.live.require(command.session_id)
        user = await self.users.find(command.tenant, command.user_id)
        if user is None:
            raise UserNotFound
        if command.name is not None and tidy_name(command.name) != user.name:
            user = await self._rename(user, tidy_name(command.name))
        return Profile(user, await self.books.permissions_of(user.tenant, user.roles))

    async def _rename(self, user: User, name: str) -> User:
        problems = name_problems(name)
        if problems:
            raise InputInvalid(problems)
        now = self.clock.now()
        renamed = replace(user, name=name, updated_at=now)
        with self.audit.along("user_renamed", tenant=user.tenant, user_id=user.id, target=user.id):
            await self.users.rename(UserUpdated(self.ids.new(), renamed, now))
        return renamed
