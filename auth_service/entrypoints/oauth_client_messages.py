"""Every translation between protobuf messages and clients."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.commands.oauth.manage_clients import (
    DeleteClient,
    RotateClientSecret,
    UpdateClient,
)
from auth_service.application.commands.oauth.register_client import (
    RegisterClient,
    RegisteredClient,
)
from auth_service.application.queries.oauth.clients import GetClient, ListClients
from auth_service.domain.errors import InputInvalid
from auth_service.domain.oauth.client import (
    ApplicationType,
    AuthMethod,
    Client,
    GrantType,
    IdTokenAlgorithm,
)
from auth_service.domain.oauth.registration import Registration
from auth_service.entrypoints.mfa_messages import to_actor
from chassis.errors import FieldProblem
from chassis.rpc.context import Principal
from protos.auth.v1 import oauth_pb2

_E = TypeVar("_E", bound=StrEnum)
MAX_PAGE = 200


def to_register(request: oauth_pb2.CreateClientRequest, caller: Principal) -> RegisterClient:
    """Raises `InputInvalid` when a name is not one that there is."""
    return RegisterClient(to_actor(caller), _registration(request.client))


def to_update(request: oauth_pb2.UpdateClientRequest, caller: Principal) -> UpdateClient:
    """Raises `InputInvalid` when a name is not one that there is."""
    return UpdateClient(to_actor(caller), request.client.id, _registration(request.client))


def to_get(request: oauth_pb2.GetClientRequest, caller: Principal) -> GetClient:
    """Of the caller's tenant."""
    return GetClient(caller.tenant, request.id)


def to_list(request: oauth_pb2.ListClientsRequest, caller: Principal) -> ListClients:
    """The cursor is the id of the last one that was seen."""
    return ListClients(caller.tenant, request.cursor, max(1, min(request.limit, MAX_PAGE)))


def to_delete(request: oauth_pb2.DeleteClientRequest, caller: Principal) -> DeleteClient:
    """Of the caller's tenant."""
    return DeleteClient(to_actor(caller), request.id)


def to_rotate(
    request: oauth_pb2.RotateClientSecretRequest, caller: Principal
) -> RotateClientSecret:
    """Without an overlap it is as configured."""
    overlap = None
    if request.HasField("overlap_seconds"):
        overlap = timedelta(seconds=request.overlap_seconds)
    return RotateClientSecret(to_actor(caller), request.id, overlap)


def from_client(client: Client) -> oauth_pb2.OAuthClient:
    """Everything about the client; its secrets are not part of it."""
    return oauth_pb2.OAuthClient(
        id=client.id,
        name=client.name,
        application_type=client.application_type.value,
        token_endpoint_auth_method=client.auth_method.value,
        grant_types=[grant.value for grant in client.grants],
        redirect_uris=client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        scopes=client.scopes,
        id_token_signed_response_alg=client.id_token_algorithm.value,
        jwks=client.jwks.encode(),
        first_party=client.first_party,
        resource_server=client.resource_server,
        service_account_roles=client.service_roles,
        service_account_id=client.service_account,
        created_at=timestamp(client.created_at),
        updated_at=timestamp(client.updated_at),
    )


def from_page(clients: Sequence[Client], limit: int) -> oauth_pb2.ListClientsResponse:
    """A full page may be followed by another."""
    cursor = clients[-1].id if len(clients) == limit else ""
    return oauth_pb2.ListClientsResponse(
        clients=[from_client(client) for client in clients], next_cursor=cursor
    )


def from_rotated(made: RegisteredClient) -> oauth_pb2.RotateClientSecretResponse:
    """The one time that the secret is shown."""
    until = timestamp(made.previous_until) if made.previous_until else None
    return oauth_pb2.RotateClientSecretResponse(
        client=from_client(made.client), secret=made.secret, previous_expires_at=until
    )


def timestamp(moment: datetime) -> Timestamp:
    """*moment* as protobuf has it."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _registration(client: oauth_pb2.OAuthClient) -> Registration:
    return Registration(
        name=client.name,
        application_type=_one(
            ApplicationType, client.application_type or "web", "application_type"
        ),
        auth_method=_one(
            AuthMethod,
            client.token_endpoint_auth_method or AuthMethod.BASIC.value,
            "token_endpoint_auth_method",
        ),
        grants=tuple(
            dict.fromkeys(_one(GrantType, each, "grant_types") for each in client.grant_types)
        ),
        redirect_uris=tuple(client.redirect_uris),
        post_logout_redirect_uris=tuple(client.post_logout_redirect_uris),
        scopes=tuple(dict.fromkeys(client.scopes)),
        id_token_algorithm=_one(
            IdTokenAlgorithm,
            client.id_token_signed_response_alg or IdTokenAlgorithm.RS256.value,
            "id_token_signed_response_alg",
        ),
        jwks=client.jwks.decode(errors="replace"),
        first_party=client.first_party,
        resource_server=client.resource_server,
        service_roles=tuple(dict.fromkeys(client.service_account_roles)),
    )


def _one(kind: type[_E], name: str, field: str) -> _E:
    try:
        return kind(name)
    except ValueError as exc:
        known = ", ".join(each.value for each in kind)
        raise InputInvalid([FieldProblem(field, f"Must be one of {known}")]) from exc
