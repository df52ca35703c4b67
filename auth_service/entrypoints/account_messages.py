"""Translations between protobuf messages and what people do with accounts."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from auth_service.application.accounts.change_email import ChangeEmail
from auth_service.application.accounts.change_password import ChangePassword
from auth_service.application.accounts.confirm_email import ConfirmEmail
from auth_service.application.accounts.create_user import CreateUser
from auth_service.application.accounts.find_users import ListUsers
from auth_service.application.accounts.paging import Page
from auth_service.application.accounts.request_link import RequestLink
from auth_service.application.accounts.set_password import SetPassword
from auth_service.application.accounts.update_user import UpdateUser
from auth_service.application.ports.accounts import SessionRecord
from auth_service.application.recent_authentication import Presence
from auth_service.domain.account import Purpose
from auth_service.domain.device import device_of
from auth_service.domain.errors import InputInvalid
from auth_service.domain.tenant import DEFAULT_TENANT
from auth_service.entrypoints.messages import origin_of, session_of
from auth_service.entrypoints.mfa_messages import to_actor
from chassis.errors import FieldProblem
from chassis.rpc.context import Principal
from protos.auth.v1 import account_pb2 as pb
from protos.auth.v1 import users_pb2

_PURPOSES = {
    pb.LINK_PURPOSE_PASSWORD_RESET: Purpose.RESET_PASSWORD,
    pb.LINK_PURPOSE_VERIFY_EMAIL: Purpose.VERIFY_EMAIL,
}


def to_request_link(request: pb.RequestLinkRequest) -> RequestLink:
    """Nobody is known yet, so they say which tenant it is about."""
    purpose = _PURPOSES.get(request.purpose)
    if purpose is None:
        raise InputInvalid([FieldProblem("purpose", "Must be PASSWORD_RESET or VERIFY_EMAIL")])
    tenant = request.tenant or DEFAULT_TENANT
    return RequestLink(tenant, request.email, purpose, origin_of(request.origin))


def to_set_password(request: pb.SetPasswordRequest) -> SetPassword:
    """Whose it is the token says."""
    return SetPassword(request.token, request.new_password, origin_of(request.origin))


def to_confirm_email(request: pb.ConfirmEmailRequest) -> ConfirmEmail:
    """Whose it is the token says."""
    return ConfirmEmail(request.token, origin_of(request.origin))


def to_presence(presence: pb.Presence, caller: Principal) -> Presence:
    """The caller, with their session, and their password if they gave it."""
    return Presence(
        tenant=caller.tenant,
        user_id=caller.id,
        session_id=session_of(caller),
        origin=origin_of(presence.origin),
        password=presence.password if presence.HasField("password") else None,
    )


def to_change_password(request: pb.ChangePasswordRequest, caller: Principal) -> ChangePassword:
    """The caller's own."""
    return ChangePassword(to_presence(request.presence, caller), request.new_password)


def to_change_email(request: pb.ChangeEmailRequest, caller: Principal) -> ChangeEmail:
    """The caller's own."""
    return ChangeEmail(to_presence(request.presence, caller), request.email)


def from_sessions(page: Page[SessionRecord], current: str) -> pb.ListSessionsResponse:
    """Where somebody is logged in; *current* is the session that asks."""
    return pb.ListSessionsResponse(
        sessions=[_session(record, current) for record in page.items],
        next_cursor=page.next_cursor,
    )


def to_list_users(request: users_pb2.ListUsersRequest, caller: Principal) -> ListUsers:
    """Users of the caller's tenant."""
    return ListUsers(
        tenant=caller.tenant,
        email=request.email,
        role=request.role if request.HasField("role") else None,
        active=request.active if request.HasField("active") else None,
        limit=request.limit,
        cursor=request.cursor,
    )


def to_create_user(request: users_pb2.CreateUserRequest, caller: Principal) -> CreateUser:
    """A user of the caller's tenant."""
    return CreateUser(
        tenant=caller.tenant,
        email=request.email,
        name=request.name,
        actor=caller.id,
        password=request.password if request.HasField("password") else None,
    )


def to_update_user(request: users_pb2.UpdateUserRequest, caller: Principal) -> UpdateUser:
    """What is absent stays."""
    return UpdateUser(
        actor=to_actor(caller),
        user_id=request.id,
        name=request.name if request.HasField("name") else None,
        email=request.email if request.HasField("email") else None,
    )


def _session(record: SessionRecord, current: str) -> pb.Session:
    return pb.Session(
        id=record.id,
        device=device_of(record.user_agent),
        user_agent=record.user_agent,
        address=record.address,
        network=record.network,
        created_at=_stamp(record.created_at),
        last_seen_at=_stamp(record.last_seen_at),
        expires_at=_stamp(record.expires_at),
        current=record.id == current,
        client_id=record.client_id,
    )


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
