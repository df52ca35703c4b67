"""Roles at the auth service, over gRPC."""

from collections.abc import Sequence

from chassis.errors import NotFound
from chassis.rpc.client import RpcClient
from gateway.adapters.pages import page_by_name
from gateway.adapters.times import moment
from gateway.ports import Caller, NewRole, Page, PageRequest, Role, UserRoles
from protos.auth.v1 import roles_pb2 as pb
from protos.auth.v1.roles_pb2_grpc import RoleServiceStub


class RolesOverGrpc:
    """Implements the port `Roles`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = RoleServiceStub(client.channel)

    async def roles(self, caller: Caller, page: PageRequest) -> Page[Role]:
        """See `Roles.roles`."""
        return page_by_name(await self._all(caller), lambda role: role.name, page)

    async def role(self, caller: Caller, name: str) -> Role:
        """See `Roles.role`."""
        for role in await self._all(caller):
            if role.name == name:
                return role
        raise NotFound(f"There is no role {name}")

    async def put_role(self, caller: Caller, role: NewRole, *, create: bool) -> tuple[Role, bool]:
        """See `Roles.put_role`."""
        response = await self._call(
            self._stub.PutRole,
            pb.PutRoleRequest(
                name=role.name,
                description=role.description,
                permissions=role.permissions,
                parents=role.parents,
                create=create,
            ),
            token=caller.credential,
        )
        return _role(response.role), response.created

    async def delete_role(self, caller: Caller, name: str) -> None:
        """See `Roles.delete_role`."""
        request = pb.DeleteRoleRequest(name=name)
        await self._call(self._stub.DeleteRole, request, token=caller.credential)

    async def user_roles(self, caller: Caller, user_id: str) -> UserRoles:
        """See `Roles.user_roles`."""
        request = pb.GetUserRolesRequest(user_id=user_id)
        response = await self._call(self._stub.GetUserRoles, request, token=caller.credential)
        return _user_roles(response.roles)

    async def set_roles(self, caller: Caller, user_id: str, roles: Sequence[str]) -> UserRoles:
        """See `Roles.set_roles`."""
        names = pb.RoleNames(names=roles)
        return await self._assign(caller, pb.AssignRolesRequest(user_id=user_id, set_to=names))

    async def grant_role(self, caller: Caller, user_id: str, role: str) -> UserRoles:
        """See `Roles.grant_role`."""
        return await self._assign(caller, pb.AssignRolesRequest(user_id=user_id, grant=role))

    async def take_role(self, caller: Caller, user_id: str, role: str) -> UserRoles:
        """See `Roles.take_role`."""
        return await self._assign(caller, pb.AssignRolesRequest(user_id=user_id, take=role))

    async def _all(self, caller: Caller) -> list[Role]:
        response = await self._call(
            self._stub.ListRoles, pb.ListRolesRequest(), token=caller.credential
        )
        return [_role(each) for each in response.roles]

    async def _assign(self, caller: Caller, request: pb.AssignRolesRequest) -> UserRoles:
        response = await self._call(self._stub.AssignRoles, request, token=caller.credential)
        return _user_roles(response.roles)


def _role(role: pb.Role) -> Role:
    return Role(
        name=role.name,
        description=role.description,
        permissions=list(role.permissions),
        parents=list(role.parents),
        effective_permissions=list(role.effective_permissions),
        built_in=role.built_in,
        updated_at=moment(role.updated_at) if role.HasField("updated_at") else None,
        updated_by=role.updated_by or None,
    )


def _user_roles(roles: pb.UserRoles) -> UserRoles:
    return UserRoles(roles.user_id, list(roles.roles), list(roles.permissions))
