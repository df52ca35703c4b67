"""UpdateMe: users change what is theirs to change."""

from dataclasses import dataclass, replace

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.ports import Users
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
    clock: Clock
    ids: Ids

    async def __call__(self, command: UpdateMe) -> User:
        await self.live.require(command.session_id)
        user = await self.users.find(command.tenant, command.user_id)
        if user is None:
            raise UserNotFound
        if command.name is None or tidy_name(command.name) == user.name:
            return user
        return await self._rename(user, tidy_name(command.name))

    async def _rename(self, user: User, name: str) -> User:
        problems = name_problems(name)
        if problems:
            raise InputInvalid(problems)
        now = self.clock.now()
        renamed = replace(user, name=name, updated_at=now)
        await self.users.rename(UserUpdated(self.ids.new(), renamed, now))
        return renamed
