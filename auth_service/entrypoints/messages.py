"""Every translation between protobuf messages and the words of the use cases."""

from collections.abc import Sequence
from typing import assert_never

from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.commands.login import Login
from auth_service.application.commands.logout import Logout
from auth_service.application.commands.refresh import Refresh
from auth_service.application.commands.register import Register
from auth_service.application.commands.update_me import UpdateMe
from auth_service.application.grants import IssuedTokens
from auth_service.application.mfa.entrance import Extras
from auth_service.application.ports import Revocation, RevocationKind
from auth_service.application.queries.exchange_token import ExchangeToken, InternalToken
from auth_service.application.queries.get_keys import GetKeys
from auth_service.application.queries.get_me import GetMe
from auth_service.application.queries.watch_revocations import Heartbeat, WatchRevocations
from auth_service.domain.errors import InputInvalid, SessionNeeded, SessionOver
from auth_service.domain.session import MAX_ADDRESS, MAX_USER_AGENT, Origin
from auth_service.domain.signing_key import PUBLISHED, KeyUse
from auth_service.domain.tenant import DEFAULT_TENANT
from auth_service.domain.user import User
from chassis.errors import FieldProblem
from chassis.rpc.context import Principal
from protos.auth.v1 import auth_pb2

_USES = {
    auth_pb2.KEY_USE_ACCESS: (KeyUse.ACCESS,),
    auth_pb2.KEY_USE_INTERNAL: (KeyUse.INTERNAL,),
    auth_pb2.KEY_USE_PUBLISHED: PUBLISHED,
}

_KINDS = {
    RevocationKind.SESSION: auth_pb2.REVOCATION_KIND_SESSION,
    RevocationKind.PRINCIPAL: auth_pb2.REVOCATION_KIND_PRINCIPAL,
    RevocationKind.KEY: auth_pb2.REVOCATION_KIND_KEY,
    RevocationKind.POLICY: auth_pb2.REVOCATION_KIND_POLICY,
}


def to_register(request: auth_pb2.RegisterRequest) -> Register:
    """Nobody is known yet, so they say which tenant it is about."""
    return Register(
        tenant=request.tenant or DEFAULT_TENANT,
        email=request.email,
        password=request.password,
        name=request.name,
        origin=origin_of(request.origin),
    )


def to_login(request: auth_pb2.LoginRequest) -> Login:
    """What comes with the password is looked at only where a second factor is owed."""
    return Login(
        tenant=request.tenant or DEFAULT_TENANT,
        email=request.email,
        password=request.password,
        origin=origin_of(request.origin),
        extras=Extras(request.otp, request.device_token, request.remember_device),
    )


def to_refresh(request: auth_pb2.RefreshRequest) -> Refresh:
    """The token is checked by the use case."""
    return Refresh(refresh_token=request.refresh_token, origin=origin_of(request.origin))


def to_exchange_token(request: auth_pb2.ExchangeTokenRequest, caller: Principal) -> ExchangeToken:
    """The service that asks is the one who will act."""
    return ExchangeToken(
        request.access_token, request.audience, actor=f"svc:{caller.id}", fresh=request.fresh
    )


def to_get_keys(request: auth_pb2.GetKeysRequest) -> GetKeys:
    """Raises `InputInvalid` unless the use is one that there is."""
    uses = _USES.get(request.use)
    if uses is None:
        raise InputInvalid([FieldProblem("use", "Must be ACCESS, INTERNAL or PUBLISHED")])
    return GetKeys(uses)


def to_watch_revocations(request: auth_pb2.WatchRevocationsRequest) -> WatchRevocations:
    """Raises `InputInvalid` for a position that cannot be."""
    if request.after < 0:
        raise InputInvalid([FieldProblem("after", "Must not be negative")])
    return WatchRevocations(request.after)


def to_logout(caller: Principal) -> Logout:
    """The caller's own session."""
    return Logout(caller.tenant, caller.id, session_of(caller))


def to_get_me(caller: Principal) -> GetMe:
    """The caller's own record."""
    session = None if caller.key_id else session_of(caller)
    return GetMe(caller.tenant, caller.id, session)


def to_update_me(request: auth_pb2.UpdateMeRequest, caller: Principal) -> UpdateMe:
    """A name that is absent stays; an empty one is taken away."""
    name = request.name if request.HasField("name") else None
    return UpdateMe(caller.tenant, caller.id, session_of(caller), name)


def from_user(user: User, permissions: Sequence[str] = ()) -> auth_pb2.User:
    """Everything about the user that may leave the service."""
    created_at = Timestamp()
    created_at.FromDatetime(user.created_at)
    return auth_pb2.User(
        id=user.id,
        email=user.email.text,
        name=user.name,
        roles=user.roles,
        tenant=user.tenant,
        created_at=created_at,
        permissions=permissions,
        email_verified=user.email_verified,
        active=user.active,
    )


def from_issued(issued: IssuedTokens) -> auth_pb2.Tokens:
    """What login and refresh answer."""
    return auth_pb2.Tokens(
        access_token=issued.access_token,
        expires_in=issued.expires_in,
        refresh_token=issued.refresh_token,
        device_token=issued.device_token,
    )


def from_internal(token: InternalToken) -> auth_pb2.ExchangeTokenResponse:
    """What the gateway sends on."""
    return auth_pb2.ExchangeTokenResponse(internal_token=token.token, expires_in=token.expires_in)


def from_feed(item: Revocation | Heartbeat) -> auth_pb2.WatchRevocationsResponse:
    """An entry, or an empty message as a sign of life."""
    match item:
        case Heartbeat():
            return auth_pb2.WatchRevocationsResponse()
        case Revocation(position, change):
            until = Timestamp()
            until.FromDatetime(change.forget_at)
            return auth_pb2.WatchRevocationsResponse(
                position=position,
                kind=_KINDS[change.kind],
                subject=change.subject,
                forget_at=until,
            )
        case _:
            assert_never(item)


def origin_of(origin: auth_pb2.Origin) -> Origin:
    """Cut to length: what a browser says of itself is no reason to refuse it."""
    return Origin(origin.address[:MAX_ADDRESS], origin.user_agent[:MAX_USER_AGENT])


def session_of(caller: Principal) -> str:
    """Raises `SessionNeeded` for an API key, `SessionOver` for whoever else has none."""
    if caller.key_id is not None:
        raise SessionNeeded
    if caller.session_id is None:
        raise SessionOver
    return caller.session_id
