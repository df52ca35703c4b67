"""Use cases that want the person who asks to be there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.application.use_case import UseCase

C = TypeVar("C")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Attended(Generic[C, A]):
    """*inner*, for people who have proved in the last minutes who they are.

    Programs (API keys, OAuth clients) cannot do that, and need not: *presence* gives None for
    them. They got their credential from somebody who could.
    """

    inner: UseCase[C, A]
    recent: RecentAuthentication
    presence: Callable[[C], Presence | None]

    async def __call__(self, command: C) -> A:
        presence = self.presence(command)
        if presence is not None:
            await self.recent.require(presence)
        return await self.inner(command)
