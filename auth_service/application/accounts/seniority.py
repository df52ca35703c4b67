"""Nobody changes the account of somebody who may do more than oneself."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.ports import Audit, Rights, Users
from auth_service.domain.access_errors import RoleTooPowerful
from auth_service.domain.errors import UserNotFound
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class Seniority:
    """Finds users whom an administrator may change.

    Who could give somebody else's account an address of their own would have all that it may do.
    """

    users: Users
    rights: Rights
    audit: Audit

    async def find(self, actor: Actor, user_id: str) -> User:
        """The user.

        Raises:
            UserNotFound: there is none, or it is in another tenant.
            RoleTooPowerful: it may do what *actor* may not.
        """
        user = await self.users.find(actor.tenant, user_id)
        if user is None or not user.is_person:
            raise UserNotFound
        held = await self.rights.permissions_of(user.tenant, user.roles, fresh=True)
        lacking = sorted(set(held) - actor.permissions)
        if lacking:
            self.audit.record(
                "user_change_refused", tenant=actor.tenant, actor=actor.id, target=user.id
            )
            raise RoleTooPowerful(lacking)
        return user
