"""What somebody may give to a key of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.ports import Rights, Users
from auth_service.domain.api_key import NOT_FOR_KEYS
from auth_service.domain.errors import PermissionNotHeld, UserNotFound


@dataclass(frozen=True, slots=True)
class KeyPermissions:
    """Judges by the store, and by the caller's own token, which may be narrower."""

    users: Users
    rights: Rights

    async def check(self, actor: Actor, wanted: Sequence[str]) -> None:
        """Refuse permissions that *actor* may not give to a key.

        Raises:
            PermissionNotHeld: naming each of them.
            UserNotFound: there is no such user any more.
        """
        user = await self.users.find(actor.tenant, actor.id)
        if user is None:
            raise UserNotFound
        held = await self.rights.permissions_of(user.tenant, user.roles, fresh=True)
        allowed = actor.permissions.intersection(held) - NOT_FOR_KEYS
        refused = [permission for permission in wanted if permission not in allowed]
        if refused:
            raise PermissionNotHeld(refused)
