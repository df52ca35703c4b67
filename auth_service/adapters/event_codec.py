"""Events as CloudEvents: the shape that everybody outside relies on."""

from datetime import datetime

import msgspec

from auth_service.domain.events import (
    AccountFact,
    Event,
    FactKind,
    SessionRevoked,
    UserRegistered,
    UserUpdated,
)
from auth_service.domain.user import User
from chassis.messaging.port import CloudEvent

SOURCE = "/autoworker/auth"
USER_REGISTERED = "io.autoworker.auth.user-registered.v1"
USER_UPDATED = "io.autoworker.auth.user-updated.v1"
SESSION_REVOKED = "io.autoworker.auth.session-revoked.v1"


class UserData(msgspec.Struct, frozen=True):
    """What is told about a user."""

    user_id: str
    tenant: str
    email: str
    name: str
    created_at: datetime


class SessionRevokedData(msgspec.Struct, frozen=True):
    """What is told about the end of a session."""

    session_id: str
    user_id: str
    tenant: str
    reason: str
    at: datetime


class AccountFactData(msgspec.Struct, frozen=True):
    """What is told about something that happened to an account."""

    user_id: str
    tenant: str
    at: datetime
    facts: dict[str, str]


_Data = UserData | SessionRevokedData | AccountFactData


def type_of(kind: FactKind) -> str:
    """The type of events of this kind."""
    return f"io.autoworker.auth.{kind.value}.v1"


def cloud_event(event: Event) -> CloudEvent:
    """*event* as others get it."""
    match event:
        case UserRegistered():
            return _of_user(event, USER_REGISTERED)
        case UserUpdated():
            return _of_user(event, USER_UPDATED)
        case SessionRevoked():
            data = SessionRevokedData(
                event.session_id, event.user_id, event.tenant, event.reason.value, event.at
            )
            return _envelope(event, SESSION_REVOKED, event.session_id, event.tenant, data)
        case AccountFact():
            facts = AccountFactData(event.user_id, event.tenant, event.at, dict(event.facts))
            return _envelope(event, type_of(event.kind), event.user_id, event.tenant, facts)


def _of_user(event: UserRegistered | UserUpdated, event_type: str) -> CloudEvent:
    user = event.user
    return _envelope(event, event_type, user.id, user.tenant, _user_data(user))


def _user_data(user: User) -> UserData:
    return UserData(user.id, user.tenant, user.email.text, user.name, user.created_at)


def _envelope(event: Event, event_type: str, subject: str, tenant: str, data: _Data) -> CloudEvent:
    return CloudEvent(
        id=event.id,
        source=SOURCE,
        type=event_type,
        time=event.at,
        data=msgspec.Raw(msgspec.json.encode(data)),
        subject=subject,
        extensions={"tenant": tenant},
    )
