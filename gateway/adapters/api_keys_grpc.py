"""API keys at the auth service, over gRPC."""

from datetime import datetime
from typing import cast

from msgspec import UNSET

from chassis.rpc.client import RpcClient
from gateway.adapters.mfa_grpc import confirmation_message
from gateway.adapters.times import moment, stamp
from gateway.ports import (
    ApiKey,
    Caller,
    Confirmation,
    Environment,
    KeyChanges,
    NewApiKey,
    Page,
    PageRequest,
    WantedKey,
)
from protos.auth.v1 import api_keys_pb2 as pb
from protos.auth.v1 import mfa_pb2
from protos.auth.v1.api_keys_pb2_grpc import ApiKeyServiceStub


class ApiKeysOverGrpc:
    """Implements the port `ApiKeys`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = ApiKeyServiceStub(client.channel)

    async def create_key(
        self, caller: Caller, wanted: WantedKey, confirmation: Confirmation
    ) -> NewApiKey:
        """See `ApiKeys.create_key`."""
        request = pb.CreateApiKeyRequest(
            name=wanted.name,
            permissions=wanted.permissions,
            rate_limit=wanted.rate_limit,
            allowed_ips=wanted.allowed_ips,
            expires_at=stamp(wanted.expires_at),
            environment=wanted.environment,
            confirmation=_confirmation(confirmation),
        )
        response = await self._call(self._stub.CreateApiKey, request, token=caller.credential)
        return _new_key(response.api_key, response.key)

    async def key(self, caller: Caller, key_id: str) -> ApiKey:
        """See `ApiKeys.key`."""
        response = await self._call(
            self._stub.GetApiKey, pb.GetApiKeyRequest(id=key_id), token=caller.credential
        )
        return _key(response.api_key)

    async def keys(self, caller: Caller, page: PageRequest, *, everybodys: bool) -> Page[ApiKey]:
        """See `ApiKeys.keys`."""
        request = pb.ListApiKeysRequest(limit=page.limit, cursor=page.cursor, everybodys=everybodys)
        response = await self._call(self._stub.ListApiKeys, request, token=caller.credential)
        return Page([_key(each) for each in response.api_keys], response.next_cursor or None)

    async def update_key(
        self, caller: Caller, key_id: str, changes: KeyChanges, confirmation: Confirmation
    ) -> ApiKey:
        """See `ApiKeys.update_key`."""
        request = _update(key_id, changes)
        request.confirmation.CopyFrom(_confirmation(confirmation))
        response = await self._call(self._stub.UpdateApiKey, request, token=caller.credential)
        return _key(response.api_key)

    async def rotate_key(
        self, caller: Caller, key_id: str, overlap: int, confirmation: Confirmation
    ) -> NewApiKey:
        """See `ApiKeys.rotate_key`."""
        request = pb.RotateApiKeyRequest(
            id=key_id, overlap_seconds=overlap, confirmation=_confirmation(confirmation)
        )
        response = await self._call(self._stub.RotateApiKey, request, token=caller.credential)
        return _new_key(response.api_key, response.key)

    async def delete_key(self, caller: Caller, key_id: str) -> None:
        """See `ApiKeys.delete_key`."""
        await self._call(
            self._stub.DeleteApiKey, pb.DeleteApiKeyRequest(id=key_id), token=caller.credential
        )


def _update(key_id: str, changes: KeyChanges) -> pb.UpdateApiKeyRequest:
    request = pb.UpdateApiKeyRequest(
        id=key_id,
        clear_rate_limit=changes.rate_limit is None,
        clear_expires_at=changes.expires_at is None,
    )
    if changes.name is not UNSET:
        request.name = changes.name
    if changes.permissions is not UNSET:
        request.permissions.CopyFrom(pb.Texts(items=changes.permissions))
    if isinstance(changes.rate_limit, int):
        request.rate_limit = changes.rate_limit
    if changes.allowed_ips is not UNSET:
        request.allowed_ips.CopyFrom(pb.Texts(items=changes.allowed_ips))
    if isinstance(changes.expires_at, datetime):
        request.expires_at.FromDatetime(changes.expires_at)
    return request


def _confirmation(given: Confirmation) -> mfa_pb2.Confirmation:
    return confirmation_message(given.password, given.origin)


def _key(key: pb.ApiKey) -> ApiKey:
    return ApiKey(
        id=key.id,
        name=key.name,
        owner=key.owner,
        environment=cast("Environment", key.environment),
        prefix=key.prefix,
        permissions=list(key.permissions),
        rate_limit=key.rate_limit or None,
        allowed_ips=list(key.allowed_ips),
        expires_at=moment(key.expires_at),
        created_at=moment(key.created_at),
        updated_at=moment(key.updated_at),
        last_used_at=moment(key.last_used_at),
        uses=key.uses,
    )


def _new_key(key: pb.ApiKey, text: str) -> NewApiKey:
    known = _key(key)
    return NewApiKey(**{name: getattr(known, name) for name in known.__struct_fields__}, key=text)
