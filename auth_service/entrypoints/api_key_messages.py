"""Translations between protobuf messages and API keys."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.actor import Actor
from auth_service.application.commands.create_api_key import CreateApiKey
from auth_service.application.commands.delete_api_key import DeleteApiKey
from auth_service.application.commands.record_key_uses import RecordKeyUses
from auth_service.application.commands.rotate_api_key import RotateApiKey
from auth_service.application.commands.update_api_key import UNCHANGED, UpdateApiKey
from auth_service.application.queries.exchange_api_key import ExchangeApiKey, ExchangedKey
from auth_service.application.queries.get_api_keys import GetApiKey, ListApiKeys
from auth_service.domain.api_key import ApiKey, Environment, KeyTerms, KeyUsage
from auth_service.domain.errors import InputInvalid
from auth_service.entrypoints.mfa_messages import presence_of
from chassis.errors import FieldProblem
from chassis.rpc.context import Principal
from protos.auth.v1 import api_keys_pb2 as pb

SEE_ALL = "users:read"
END_ALL = "users:write"
_MOST = 200


def to_exchange(request: pb.ExchangeApiKeyRequest, caller: Principal) -> ExchangeApiKey:
    """The service that asks is the one who will act."""
    return ExchangeApiKey(
        request.key,
        request.audience,
        actor=f"svc:{caller.id}",
        address=request.address,
        fresh=request.fresh,
    )


def to_record(request: pb.RecordKeyUsesRequest) -> RecordKeyUses:
    """Counts and times as the gateway has them."""
    uses = [KeyUsage(each.key_id, each.count, _moment(each.last_used_at)) for each in request.uses]
    return RecordKeyUses(request.reporter, request.sequence, uses)


def to_create(request: pb.CreateApiKeyRequest, caller: Principal) -> CreateApiKey:
    """Raises `InputInvalid` for an environment that there is not."""
    try:
        environment = Environment(request.environment)
    except ValueError as exc:
        raise InputInvalid([FieldProblem("environment", "Must be live or test")]) from exc
    terms = KeyTerms(
        name=request.name,
        permissions=tuple(request.permissions),
        rate_limit=request.rate_limit if request.HasField("rate_limit") else None,
        allowed_ips=tuple(request.allowed_ips),
        expires_at=_moment(request.expires_at) if request.HasField("expires_at") else None,
    )
    presence = presence_of(request.confirmation, caller)
    return CreateApiKey(_actor(caller), presence, environment, terms)


def to_update(request: pb.UpdateApiKeyRequest, caller: Principal) -> UpdateApiKey:
    """What is absent stays."""

    def given(name: str) -> bool:
        return bool(request.HasField(name))  # type: ignore[arg-type]

    rate_limit = request.rate_limit if given("rate_limit") else UNCHANGED
    expires_at = _moment(request.expires_at) if given("expires_at") else UNCHANGED
    return UpdateApiKey(
        _actor(caller),
        presence_of(request.confirmation, caller),
        request.id,
        name=request.name if given("name") else UNCHANGED,
        permissions=tuple(request.permissions.items) if given("permissions") else UNCHANGED,
        rate_limit=None if request.clear_rate_limit else rate_limit,
        allowed_ips=tuple(request.allowed_ips.items) if given("allowed_ips") else UNCHANGED,
        expires_at=None if request.clear_expires_at else expires_at,
    )


def to_rotate(request: pb.RotateApiKeyRequest, caller: Principal) -> RotateApiKey:
    """Raises `InputInvalid` for an overlap that no time has."""
    overlap = max(-1, min(request.overlap_seconds, 10**9))
    presence = presence_of(request.confirmation, caller)
    return RotateApiKey(_actor(caller), presence, request.id, timedelta(seconds=overlap))


def to_delete(request: pb.DeleteApiKeyRequest, caller: Principal) -> DeleteApiKey:
    """Administrators may end anybody's."""
    return DeleteApiKey(_actor(caller), request.id, anybodys=caller.may(END_ALL))


def to_get(request: pb.GetApiKeyRequest, caller: Principal) -> GetApiKey:
    """Administrators may see anybody's."""
    return GetApiKey(caller.tenant, None if caller.may(SEE_ALL) else caller.id, request.id)


def to_list(request: pb.ListApiKeysRequest, caller: Principal) -> ListApiKeys:
    """One's own, unless an administrator asks for everybody's."""
    everybodys = request.everybodys and caller.may(SEE_ALL)
    return ListApiKeys(
        caller.tenant,
        None if everybodys else caller.id,
        limit=max(1, min(request.limit, _MOST)),
        cursor=request.cursor or None,
    )


def from_exchanged(exchanged: ExchangedKey) -> pb.ExchangeApiKeyResponse:
    """What the gateway sends on, and what it holds the key to."""
    terms = exchanged.key.terms
    return pb.ExchangeApiKeyResponse(
        internal_token=exchanged.token,
        expires_in=exchanged.expires_in,
        rate_limit=terms.rate_limit or 0,
        allowed_ips=terms.allowed_ips,
    )


def from_key(key: ApiKey) -> pb.ApiKey:
    """Everything about the key that may leave the service."""
    terms = key.terms
    return pb.ApiKey(
        id=key.id,
        owner=key.owner,
        name=terms.name,
        environment=key.environment.value,
        prefix=key.prefix,
        permissions=terms.permissions,
        rate_limit=terms.rate_limit or 0,
        allowed_ips=terms.allowed_ips,
        expires_at=_timestamp(terms.expires_at),
        created_at=_timestamp(key.created_at),
        updated_at=_timestamp(key.updated_at),
        last_used_at=_timestamp(key.last_used_at),
        uses=key.uses,
    )


def _actor(caller: Principal) -> Actor:
    return Actor(caller.tenant, caller.id, caller.permissions)


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)


def _timestamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp
