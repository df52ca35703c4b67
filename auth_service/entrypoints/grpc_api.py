"""The gRPC face: translate in, call one use case, translate out."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc

from auth_service.application.app import Application
from auth_service.domain.mfa_requirement import ENROLMENT
from auth_service.entrypoints import messages
from chassis.rpc.context import current_call
from chassis.rpc.server import AnyOf, Guard, RpcServer, ServiceOnly
from protos.auth.v1 import auth_pb2, auth_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.AuthService"
_GATEWAY = ServiceOnly(frozenset({"gateway"}))
_SERVICES = ServiceOnly(frozenset({"gateway", "workflow", "notification", "auth"}))
_SELF = "users:self"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/Register": _GATEWAY,
    f"{_SERVICE}/Login": _GATEWAY,
    f"{_SERVICE}/Refresh": _GATEWAY,
    f"{_SERVICE}/ExchangeToken": _GATEWAY,
    f"{_SERVICE}/GetKeys": _SERVICES,
    f"{_SERVICE}/WatchRevocations": _SERVICES,
    f"{_SERVICE}/Logout": AnyOf((_SELF, ENROLMENT)),
    f"{_SERVICE}/GetMe": _SELF,
    f"{_SERVICE}/UpdateMe": _SELF,
}
"""Who may call what."""


class GrpcApi(auth_pb2_grpc.AuthServiceServicer):
    """AuthService of protos/auth/v1/auth.proto."""

    def __init__(self, app: Application) -> None:
        self._commands = app.commands
        self._queries = app.queries

    async def Register(  # noqa: N802
        self, request: auth_pb2.RegisterRequest, context: _Context
    ) -> auth_pb2.RegisterResponse:
        """Somebody becomes a user."""
        user = await self._commands.register(messages.to_register(request))
        return auth_pb2.RegisterResponse(user=messages.from_user(user))

    async def Login(  # noqa: N802
        self, request: auth_pb2.LoginRequest, context: _Context
    ) -> auth_pb2.LoginResponse:
        """A password becomes a session."""
        issued = await self._commands.login(messages.to_login(request))
        return auth_pb2.LoginResponse(tokens=messages.from_issued(issued))

    async def Refresh(  # noqa: N802
        self, request: auth_pb2.RefreshRequest, context: _Context
    ) -> auth_pb2.RefreshResponse:
        """A session goes on."""
        issued = await self._commands.refresh(messages.to_refresh(request))
        return auth_pb2.RefreshResponse(tokens=messages.from_issued(issued))

    async def ExchangeToken(  # noqa: N802
        self, request: auth_pb2.ExchangeTokenRequest, context: _Context
    ) -> auth_pb2.ExchangeTokenResponse:
        """An access token becomes one for a single service."""
        query = messages.to_exchange_token(request, current_call().principal)
        return messages.from_internal(await self._queries.exchange_token(query))

    async def GetKeys(  # noqa: N802
        self, request: auth_pb2.GetKeysRequest, context: _Context
    ) -> auth_pb2.GetKeysResponse:
        """What verifies our tokens."""
        jwks = await self._queries.get_keys(messages.to_get_keys(request))
        return auth_pb2.GetKeysResponse(jwks=jwks)

    async def WatchRevocations(  # noqa: N802
        self, request: auth_pb2.WatchRevocationsRequest, context: _Context
    ) -> AsyncIterator[auth_pb2.WatchRevocationsResponse]:
        """Which sessions are dead, as it happens."""
        query = messages.to_watch_revocations(request)
        async for item in self._queries.watch_revocations(query):
            yield messages.from_feed(item)

    async def Logout(  # noqa: N802
        self, request: auth_pb2.LogoutRequest, context: _Context
    ) -> auth_pb2.LogoutResponse:
        """The caller's session ends."""
        command = messages.to_logout(current_call().principal)
        await self._commands.logout(command)
        return auth_pb2.LogoutResponse(session_id=command.session_id)

    async def GetMe(  # noqa: N802
        self, request: auth_pb2.GetMeRequest, context: _Context
    ) -> auth_pb2.GetMeResponse:
        """The caller's own record."""
        me = await self._queries.get_me(messages.to_get_me(current_call().principal))
        return auth_pb2.GetMeResponse(user=messages.from_user(me.user, me.permissions))

    async def UpdateMe(  # noqa: N802
        self, request: auth_pb2.UpdateMeRequest, context: _Context
    ) -> auth_pb2.UpdateMeResponse:
        """The caller changes what is theirs."""
        command = messages.to_update_me(request, current_call().principal)
        me = await self._commands.update_me(command)
        return auth_pb2.UpdateMeResponse(user=messages.from_user(me.user, me.permissions))


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the use cases of *app*."""
    server.add(auth_pb2_grpc.add_AuthServiceServicer_to_server, GrpcApi(app))
