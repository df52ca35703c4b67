"""Roles: what they give, and who has them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gateway.ports.common import Caller, Page, PageRequest


class Role(Struct, frozen=True):
    """A named set of permissions."""

    name: str
    description: str
    permissions: list[str]
    parents: list[str]
    """The roles that it builds upon: it gives all that they give."""
    effective_permissions: list[str]
    """All that it gives, with its parents."""
    built_in: bool
    updated_at: datetime | None
    """Null while a built-in role is as it came."""
    updated_by: str | None


class NewRole(Struct, frozen=True):
    """What somebody wants a role to be."""

    name: str
    description: str
    permissions: Sequence[str]
    parents: Sequence[str]


class UserRoles(Struct, frozen=True):
    """The roles that a user has, and what they give."""

    user_id: str
    roles: list[str]
    permissions: list[str]


class Roles(Protocol):
    """The roles of the caller's tenant."""

    async def roles(self, caller: Caller, page: PageRequest) -> Page[Role]:
        """All of them, by name."""

    async def role(self, caller: Caller, name: str) -> Role:
        """The one called *name*.

        Raises:
            NotFound: there is none.
        """

    async def put_role(self, caller: Caller, role: NewRole, *, create: bool) -> tuple[Role, bool]:
        """Make or change a role; with *create* only make it. Tells whether it is new.

        Raises:
            Invalid: parents or permissions are unknown.
            Conflict: it would build upon itself, is built in, or is there already.
            PermissionDenied: it can do more than the caller.
        """

    async def delete_role(self, caller: Caller, name: str) -> None:
        """Forget a role.

        Raises:
            Conflict: it is built in, or somebody needs it.
        """

    async def user_roles(self, caller: Caller, user_id: str) -> UserRoles:
        """Who a user is."""

    async def set_roles(self, caller: Caller, user_id: str, roles: Sequence[str]) -> UserRoles:
        """The user has exactly these roles."""

    async def grant_role(self, caller: Caller, user_id: str, role: str) -> UserRoles:
        """The user has this role, too."""

    async def take_role(self, caller: Caller, user_id: str, role: str) -> UserRoles:
        """The user does not have this role."""
