"""The gRPC face of OAuth clients: translate in, call one use case, translate out."""

from typing import Any, TypeAlias

import grpc

from auth_service.application.app import Application
from auth_service.entrypoints import oauth_client_messages as messages
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer
from protos.auth.v1 import oauth_pb2, oauth_pb2_grpc

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.OAuthClientService"
_READ, _WRITE = "oauth-clients:read", "oauth-clients:write"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/CreateClient": _WRITE,
    f"{_SERVICE}/GetClient": _READ,
    f"{_SERVICE}/ListClients": _READ,
    f"{_SERVICE}/UpdateClient": _WRITE,
    f"{_SERVICE}/DeleteClient": _WRITE,
    f"{_SERVICE}/RotateClientSecret": _WRITE,
}
"""Who may call what."""


class OAuthClientsApi(oauth_pb2_grpc.OAuthClientServiceServicer):
    """OAuthClientService of protos/auth/v1/oauth.proto."""

    def __init__(self, app: Application) -> None:
        self._clients = app.oauth.clients

    async def CreateClient(  # noqa: N802
        self, request: oauth_pb2.CreateClientRequest, context: _Context
    ) -> oauth_pb2.CreateClientResponse:
        """An administrator makes a client."""
        command = messages.to_register(request, current_call().principal)
        made = await self._clients.register(command)
        return oauth_pb2.CreateClientResponse(
            client=messages.from_client(made.client), secret=made.secret
        )

    async def GetClient(  # noqa: N802
        self, request: oauth_pb2.GetClientRequest, context: _Context
    ) -> oauth_pb2.GetClientResponse:
        """One client."""
        query = messages.to_get(request, current_call().principal)
        return oauth_pb2.GetClientResponse(
            client=messages.from_client(await self._clients.get(query))
        )

    async def ListClients(  # noqa: N802
        self, request: oauth_pb2.ListClientsRequest, context: _Context
    ) -> oauth_pb2.ListClientsResponse:
        """A page of clients."""
        query = messages.to_list(request, current_call().principal)
        return messages.from_page(await self._clients.list(query), query.limit)

    async def UpdateClient(  # noqa: N802
        self, request: oauth_pb2.UpdateClientRequest, context: _Context
    ) -> oauth_pb2.UpdateClientResponse:
        """A client is described anew."""
        command = messages.to_update(request, current_call().principal)
        return oauth_pb2.UpdateClientResponse(
            client=messages.from_client(await self._clients.update(command))
        )

    async def DeleteClient(  # noqa: N802
        self, request: oauth_pb2.DeleteClientRequest, context: _Context
    ) -> oauth_pb2.DeleteClientResponse:
        """A client goes, and its tokens with it."""
        await self._clients.delete(messages.to_delete(request, current_call().principal))
        return oauth_pb2.DeleteClientResponse()

    async def RotateClientSecret(  # noqa: N802
        self, request: oauth_pb2.RotateClientSecretRequest, context: _Context
    ) -> oauth_pb2.RotateClientSecretResponse:
        """A client gets a new secret."""
        command = messages.to_rotate(request, current_call().principal)
        return messages.from_rotated(await self._clients.rotate_secret(command))


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the use cases of *app*."""
    server.add(oauth_pb2_grpc.add_OAuthClientServiceServicer_to_server, OAuthClientsApi(app))
