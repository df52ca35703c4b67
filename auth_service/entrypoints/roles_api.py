"""Roles over gRPC: translate in, call one use case, translate out."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.actor import Actor
from auth_service.application.app import Application
from auth_service.application.commands.assign_roles import (
    AssignRoles,
    Grant,
    SetTo,
    Take,
)
from auth_service.application.commands.delete_role import DeleteRole
from auth_service.application.commands.put_role import PutRole
from auth_service.application.profiles import UserRoles
from auth_service.application.queries.get_roles import GetRoles, GetUserRoles
from auth_service.domain.errors import InputInvalid
from auth_service.domain.roles import RoleDefinition
from auth_service.entrypoints.mfa_messages import to_actor
from chassis.errors import FieldProblem
from chassis.rpc.context import current_call
from chassis.rpc.decisions import Reading, reads
from chassis.rpc.server import Guard, RpcServer
from protos.auth.v1 import roles_pb2 as pb
from protos.auth.v1 import roles_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.RoleService"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/ListRoles": "roles:read",
    f"{_SERVICE}/PutRole": "roles:write",
    f"{_SERVICE}/DeleteRole": "roles:write",
    f"{_SERVICE}/GetUserRoles": "roles:read",
    f"{_SERVICE}/AssignRoles": "roles:assign",
}
"""Who may call what."""

READINGS: dict[str, Reading] = {
    f"{_SERVICE}/PutRole": reads(name="name"),
    f"{_SERVICE}/DeleteRole": reads(name="name"),
    f"{_SERVICE}/GetUserRoles": reads(id="user_id"),
    f"{_SERVICE}/AssignRoles": reads(id="user_id"),
}
"""What policies may know of what is asked for."""


class RolesApi(roles_pb2_grpc.RoleServiceServicer):
    """RoleService of protos/auth/v1/roles.proto."""

    def __init__(self, app: Application) -> None:
        self._access = app.access

    async def ListRoles(  # noqa: N802
        self, request: pb.ListRolesRequest, context: _Context
    ) -> pb.ListRolesResponse:
        """Every role of the tenant."""
        roles = await self._access.get_roles(GetRoles(current_call().principal.tenant))
        return pb.ListRolesResponse(roles=[_role(each.role, each.effective) for each in roles])

    async def PutRole(  # noqa: N802
        self, request: pb.PutRoleRequest, context: _Context
    ) -> pb.PutRoleResponse:
        """What a role gives."""
        role = RoleDefinition(
            name=request.name,
            description=request.description.strip(),
            permissions=_sorted(request.permissions),
            parents=_sorted(request.parents),
        )
        put = await self._access.put_role(PutRole(current_actor(), role, request.create))
        return pb.PutRoleResponse(role=_role(put.role, put.effective), created=put.created)

    async def DeleteRole(  # noqa: N802
        self, request: pb.DeleteRoleRequest, context: _Context
    ) -> pb.DeleteRoleResponse:
        """A role goes."""
        await self._access.delete_role(DeleteRole(current_actor(), request.name))
        return pb.DeleteRoleResponse()

    async def GetUserRoles(  # noqa: N802
        self, request: pb.GetUserRolesRequest, context: _Context
    ) -> pb.GetUserRolesResponse:
        """Who a user is."""
        query = GetUserRoles(current_call().principal.tenant, request.user_id)
        return pb.GetUserRolesResponse(roles=_user_roles(await self._access.get_user_roles(query)))

    async def AssignRoles(  # noqa: N802
        self, request: pb.AssignRolesRequest, context: _Context
    ) -> pb.AssignRolesResponse:
        """Who a user becomes."""
        command = AssignRoles(current_actor(), request.user_id, _change(request))
        return pb.AssignRolesResponse(roles=_user_roles(await self._access.assign_roles(command)))


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer what *app* can do about roles."""
    server.add(roles_pb2_grpc.add_RoleServiceServicer_to_server, RolesApi(app))


def current_actor() -> Actor:
    """The caller, as somebody who changes what others may do."""
    return to_actor(current_call().principal)


def _change(request: pb.AssignRolesRequest) -> SetTo | Grant | Take:
    match request.WhichOneof("change"):
        case "set_to":
            return SetTo(tuple(request.set_to.names))
        case "grant":
            return Grant(request.grant)
        case "take":
            return Take(request.take)
        case _:
            raise InputInvalid([FieldProblem("change", "Say which roles")])


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _role(role: RoleDefinition, effective: Iterable[str]) -> pb.Role:
    message = pb.Role(
        name=role.name,
        description=role.description,
        permissions=role.permissions,
        parents=role.parents,
        built_in=role.built_in,
        effective_permissions=effective,
        updated_by=role.updated_by,
    )
    if role.updated_at is not None:
        updated_at = Timestamp()
        updated_at.FromDatetime(role.updated_at)
        message.updated_at.CopyFrom(updated_at)
    return message


def _user_roles(roles: UserRoles) -> pb.UserRoles:
    return pb.UserRoles(user_id=roles.user_id, roles=roles.roles, permissions=roles.permissions)
