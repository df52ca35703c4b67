"""The gRPC methods of secrets: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from chassis.errors import PermissionDenied
from chassis.rpc.context import Principal, current_call
from chassis.rpc.decisions import Reading, reads
from chassis.rpc.guards import Guard
from chassis.rpc.server import RpcServer
from protos.secret.v1 import secret_pb2 as pb
from protos.secret.v1.secret_pb2_grpc import (
    SecretServiceServicer,
    add_SecretServiceServicer_to_server,
)
from workflow_service.application.queries.paging import page_limit
from workflow_service.application.vault.use_cases import Secrets, SecretShown
from workflow_service.entrypoints.messages import json_of

_SERVICE: Final = "/autoworker.secret.v1.SecretService"
SHARE: Final = "secrets:share"

GUARDS: Mapping[str, Guard] = {
    f"{_SERVICE}/PutSecret": "secrets:write",
    f"{_SERVICE}/GetSecret": "secrets:read",
    f"{_SERVICE}/ListSecrets": "secrets:read",
    f"{_SERVICE}/DeleteSecret": "secrets:write",
}

READINGS: Mapping[str, Reading] = {
    method: reads(name="name") for method in GUARDS if not method.endswith("/ListSecrets")
}
"""What policies may know of what is asked for."""


class SecretApi(SecretServiceServicer):
    """Serves the caller, whose identity comes from the token alone."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def PutSecret(
        self,
        request: pb.PutSecretRequest,
        context: aio.ServicerContext[pb.PutSecretRequest, pb.PutSecretResponse],
    ) -> pb.PutSecretResponse:
        """Set a secret."""
        caller = _caller(shared=request.shared)
        value = json_of(request.value, "value")
        put = await self._secrets.put(caller.tenant, caller.id, request.name, value, request.shared)
        return pb.PutSecretResponse(secret=_message(put))

    async def GetSecret(
        self,
        request: pb.GetSecretRequest,
        context: aio.ServicerContext[pb.GetSecretRequest, pb.GetSecretResponse],
    ) -> pb.GetSecretResponse:
        """All that is told of one secret."""
        caller = _caller()
        found = await self._secrets.get(caller.tenant, caller.id, request.name)
        return pb.GetSecretResponse(secret=_message(found))

    async def ListSecrets(
        self,
        request: pb.ListSecretsRequest,
        context: aio.ServicerContext[pb.ListSecretsRequest, pb.ListSecretsResponse],
    ) -> pb.ListSecretsResponse:
        """A page of what the caller's executions may use."""
        caller = _caller()
        page = await self._secrets.list(
            caller.tenant, caller.id, page_limit(request.limit or None), request.cursor or None
        )
        return pb.ListSecretsResponse(
            secrets=map(_message, page.items), next_cursor=page.next_cursor or ""
        )

    async def DeleteSecret(
        self,
        request: pb.DeleteSecretRequest,
        context: aio.ServicerContext[pb.DeleteSecretRequest, pb.DeleteSecretResponse],
    ) -> pb.DeleteSecretResponse:
        """Forget a secret."""
        caller = _caller(shared=request.shared)
        await self._secrets.delete(caller.tenant, caller.id, request.name, request.shared)
        return pb.DeleteSecretResponse()


def serve_secrets(server: RpcServer, secrets: Secrets) -> None:
    """Have *server* offer the service."""
    server.add(add_SecretServiceServicer_to_server, SecretApi(secrets))


def _caller(*, shared: bool = False) -> Principal:
    principal = current_call().principal
    if shared and not principal.may(SHARE):
        raise PermissionDenied(f"a secret for everybody needs the permission {SHARE}")
    return principal


def _message(secret: SecretShown) -> pb.Secret:
    stamp = Timestamp()
    stamp.FromDatetime(secret.updated_at)
    return pb.Secret(
        name=secret.name,
        version=secret.version,
        shared=secret.shared,
        updated_at=stamp,
        updated_by=secret.updated_by,
    )
