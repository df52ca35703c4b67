"""The gRPC face of accounts for administrators."""
# ruff: noqa: N802 -- the names are those of the proto

from typing import Any, TypeAlias

import grpc

from auth_service.application.accounts.end_sessions import EndUserSessions
from auth_service.application.accounts.find_users import GetUser
from auth_service.application.accounts.leave import DeleteUser, SetActive
from auth_service.application.app import Application
from auth_service.entrypoints import account_messages as messages
from auth_service.entrypoints.messages import from_user
from auth_service.entrypoints.mfa_messages import to_actor
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer
from protos.auth.v1 import users_pb2 as pb
from protos.auth.v1 import users_pb2_grpc as grpc_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.UserService"
_READ, _WRITE = "users:read", "users:write"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/ListUsers": _READ,
    f"{_SERVICE}/GetUser": _READ,
    f"{_SERVICE}/CreateUser": _WRITE,
    f"{_SERVICE}/UpdateUser": _WRITE,
    f"{_SERVICE}/SetUserActive": _WRITE,
    f"{_SERVICE}/EndUserSessions": _WRITE,
    f"{_SERVICE}/DeleteUser": _WRITE,
}
"""Who may call what."""


class UserApi(grpc_pb.UserServiceServicer):
    """UserService of protos/auth/v1/users.proto; nothing leaves or enters the caller's tenant."""

    def __init__(self, app: Application) -> None:
        self._accounts = app.accounts

    async def ListUsers(
        self, request: pb.ListUsersRequest, context: _Context
    ) -> pb.ListUsersResponse:
        """A page of users."""
        query = messages.to_list_users(request, current_call().principal)
        page = await self._accounts.list_users(query)
        users = [from_user(user) for user in page.items]
        return pb.ListUsersResponse(users=users, next_cursor=page.next_cursor)

    async def GetUser(self, request: pb.GetUserRequest, context: _Context) -> pb.GetUserResponse:
        """One user."""
        query = GetUser(current_call().principal.tenant, request.id)
        return pb.GetUserResponse(user=from_user(await self._accounts.get_user(query)))

    async def CreateUser(
        self, request: pb.CreateUserRequest, context: _Context
    ) -> pb.CreateUserResponse:
        """Somebody gets an account."""
        command = messages.to_create_user(request, current_call().principal)
        return pb.CreateUserResponse(user=from_user(await self._accounts.create_user(command)))

    async def UpdateUser(
        self, request: pb.UpdateUserRequest, context: _Context
    ) -> pb.UpdateUserResponse:
        """Name or address change."""
        command = messages.to_update_user(request, current_call().principal)
        return pb.UpdateUserResponse(user=from_user(await self._accounts.update_user(command)))

    async def SetUserActive(
        self, request: pb.SetUserActiveRequest, context: _Context
    ) -> pb.SetUserActiveResponse:
        """Deactivate, or take that back."""
        actor = to_actor(current_call().principal)
        command = SetActive(actor, request.id, request.active)
        return pb.SetUserActiveResponse(user=from_user(await self._accounts.set_active(command)))

    async def EndUserSessions(
        self, request: pb.EndUserSessionsRequest, context: _Context
    ) -> pb.EndUserSessionsResponse:
        """Log somebody out everywhere."""
        actor = to_actor(current_call().principal)
        command = EndUserSessions(actor, request.id)
        return pb.EndUserSessionsResponse(ended=await self._accounts.end_user_sessions(command))

    async def DeleteUser(
        self, request: pb.DeleteUserRequest, context: _Context
    ) -> pb.DeleteUserResponse:
        """Delete somebody for good."""
        actor = to_actor(current_call().principal)
        await self._accounts.delete_user(DeleteUser(actor, request.id))
        return pb.DeleteUserResponse()


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the accounts of *app* to administrators."""
    server.add(grpc_pb.add_UserServiceServicer_to_server, UserApi(app))
