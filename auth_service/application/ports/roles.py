"""What a tenant's roles give, and who has them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.revocations import Change
from auth_service.domain.roles import RoleBook, RoleDefinition


@dataclass(frozen=True, slots=True)
class Assignment:
    """A user of *tenant* who had the roles *before* has those *after* from now on."""

    tenant: str
    user_id: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    at: datetime


class Roles(Protocol):
    """The roles of every tenant.

    Whoever writes says which version of the tenant's book was read before: in between nobody else may
    have changed it. What is written and *change* come together, or not at all.
    """

    async def book(self, tenant: str) -> RoleBook:
        """All roles of the tenant."""
        ...

    async def put(self, tenant: str, role: RoleDefinition, *, read: int, change: Change) -> None:
        """Keep *role*, instead of the one of that name if there is one.

        Raises:
            RolesChanged: the book is no longer at version *read*.
        """
        ...

    async def remove(self, tenant: str, name: str, *, read: int, change: Change) -> None:
        """Forget the role.

        Raises:
            RolesChanged: the book is no longer at version *read*.
            RoleInUse: some user has it.
        """
        ...

    async def assign(self, assignment: Assignment, *, read: int, change: Change) -> None:
        """Give a user other roles, in one conditional statement.

        Raises:
            UserNotFound: the tenant has no such user.
            RolesChanged: the book is no longer at version *read*, or the user has other roles.
            LastAdministrator: nobody else is an administrator, and this one would be none.
        """
        ...
