"""Roles: the part of the client that says what users may do."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import msgspec

from autoworker.model import Page
from autoworker.places import segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class Role(msgspec.Struct, frozen=True):
    """A named set of permissions. `effective_permissions` come with those of its parents."""

    name: str
    description: str
    permissions: list[str]
    parents: list[str]
    effective_permissions: list[str]
    built_in: bool
    updated_at: datetime | None = None
    updated_by: str | None = None


class UserRoles(msgspec.Struct, frozen=True):
    """The roles that a user has, and what they give."""

    user_id: str
    roles: list[str]
    permissions: list[str]


class Roles(Requests):
    """Roles of the tenant, and who has them; for administrators."""

    def roles(self) -> AsyncIterator[Role]:
        """Every role, by name."""
        return self._pages("/v1/roles", Page[Role], {})

    async def put_role(
        self,
        name: str,
        *,
        permissions: Sequence[str] = (),
        parents: Sequence[str] = (),
        description: str = "",
    ) -> Role:
        """Make or change a role.

        Raises:
            InvalidRequest: a permission or a parent is unknown.
            Conflict: it would build upon itself, or is built in.
            PermissionDenied: it can do more than the caller.
        """
        body = {
            "description": description,
            "permissions": list(permissions),
            "parents": list(parents),
        }
        _, answer = await self._send("PUT", f"/v1/roles/{segment(name)}", msgspec.json.encode(body))
        return decoded(answer, Role)

    async def delete_role(self, name: str) -> None:
        """Forget a role.

        Raises:
            Conflict: it is built in, or somebody needs it.
        """
        await self._send("DELETE", f"/v1/roles/{segment(name)}")

    async def user_roles(self, user_id: str) -> UserRoles:
        """The roles of a user."""
        return await self._get(f"/v1/users/{segment(user_id)}/roles", UserRoles)

    async def set_roles(self, user_id: str, roles: Sequence[str]) -> UserRoles:
        """The user has exactly these roles.

        Raises:
            Conflict: the last administrator would be none.
            PermissionDenied: a role that is given or taken can do more than the caller.
        """
        body = msgspec.json.encode({"roles": list(roles)})
        _, answer = await self._send("PUT", f"/v1/users/{segment(user_id)}/roles", body)
        return decoded(answer, UserRoles)

    async def grant_role(self, user_id: str, role: str) -> UserRoles:
        """The user has this role, too. Raises as `set_roles`."""
        return await self._change("PUT", user_id, role)

    async def take_role(self, user_id: str, role: str) -> UserRoles:
        """The user does not have this role. Raises as `set_roles`."""
        return await self._change("DELETE", user_id, role)

    async def _change(self, method: str, user_id: str, role: str) -> UserRoles:
        path = f"/v1/users/{segment(user_id)}/roles/{segment(role)}"
        _, answer = await self._send(method, path)
        return decoded(answer, UserRoles)
