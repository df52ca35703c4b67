"""The gRPC face of API keys."""

from typing import Any, TypeAlias

import grpc

from auth_service.application.app import Application
from auth_service.entrypoints import api_key_messages as messages
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer, ServiceOnly
from protos.auth.v1 import api_keys_pb2 as pb
from protos.auth.v1 import api_keys_pb2_grpc as grpc_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.ApiKeyService"
_GATEWAY = ServiceOnly(frozenset({"gateway"}))
_READ, _WRITE = "api-keys:read", "api-keys:write"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/ExchangeApiKey": _GATEWAY,
    f"{_SERVICE}/RecordKeyUses": _GATEWAY,
    f"{_SERVICE}/CreateApiKey": _WRITE,
    f"{_SERVICE}/GetApiKey": _READ,
    f"{_SERVICE}/ListApiKeys": _READ,
    f"{_SERVICE}/UpdateApiKey": _WRITE,
    f"{_SERVICE}/RotateApiKey": _WRITE,
    f"{_SERVICE}/DeleteApiKey": _WRITE,
}
"""Who may call what."""


class ApiKeyApi(grpc_pb.ApiKeyServiceServicer):
    """ApiKeyService of protos/auth/v1/api_keys.proto."""

    def __init__(self, app: Application) -> None:
        self._keys = app.api_keys

    async def ExchangeApiKey(  # noqa: N802
        self, request: pb.ExchangeApiKeyRequest, context: _Context
    ) -> pb.ExchangeApiKeyResponse:
        """A key becomes a token for a single service."""
        query = messages.to_exchange(request, current_call().principal)
        return messages.from_exchanged(await self._keys.exchange(query))

    async def RecordKeyUses(  # noqa: N802
        self, request: pb.RecordKeyUsesRequest, context: _Context
    ) -> pb.RecordKeyUsesResponse:
        """Uses are counted."""
        await self._keys.record_uses(messages.to_record(request))
        return pb.RecordKeyUsesResponse()

    async def CreateApiKey(  # noqa: N802
        self, request: pb.CreateApiKeyRequest, context: _Context
    ) -> pb.CreateApiKeyResponse:
        """A user gets a key, whose text is told this once."""
        command = messages.to_create(request, current_call().principal)
        made = await self._keys.create(command)
        return pb.CreateApiKeyResponse(api_key=messages.from_key(made.key), key=made.text.text)

    async def GetApiKey(  # noqa: N802
        self, request: pb.GetApiKeyRequest, context: _Context
    ) -> pb.GetApiKeyResponse:
        """One key."""
        found = await self._keys.get(messages.to_get(request, current_call().principal))
        return pb.GetApiKeyResponse(api_key=messages.from_key(found))

    async def ListApiKeys(  # noqa: N802
        self, request: pb.ListApiKeysRequest, context: _Context
    ) -> pb.ListApiKeysResponse:
        """A page of keys."""
        page = await self._keys.list(messages.to_list(request, current_call().principal))
        return pb.ListApiKeysResponse(
            api_keys=[messages.from_key(each) for each in page.items],
            next_cursor=page.next_cursor or "",
        )

    async def UpdateApiKey(  # noqa: N802
        self, request: pb.UpdateApiKeyRequest, context: _Context
    ) -> pb.UpdateApiKeyResponse:
        """A key gets other terms."""
        changed = await self._keys.update(messages.to_update(request, current_call().principal))
        return pb.UpdateApiKeyResponse(api_key=messages.from_key(changed))

    async def RotateApiKey(  # noqa: N802
        self, request: pb.RotateApiKeyRequest, context: _Context
    ) -> pb.RotateApiKeyResponse:
        """A key gets another text, which is told this once."""
        made = await self._keys.rotate(messages.to_rotate(request, current_call().principal))
        return pb.RotateApiKeyResponse(api_key=messages.from_key(made.key), key=made.text.text)

    async def DeleteApiKey(  # noqa: N802
        self, request: pb.DeleteApiKeyRequest, context: _Context
    ) -> pb.DeleteApiKeyResponse:
        """A key ends."""
        await self._keys.delete(messages.to_delete(request, current_call().principal))
        return pb.DeleteApiKeyResponse()


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the API keys of *app*."""
    server.add(grpc_pb.add_ApiKeyServiceServicer_to_server, ApiKeyApi(app))
