"""What crosses the wire, translated; pure functions."""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.messaging.port import CloudEvent
from chassis.rpc.context import Principal
from notification_service.application.commands.erase_user import EraseUser
from notification_service.application.commands.notify_account_fact import NotifyAccountFact
from notification_service.application.commands.notify_execution_ended import NotifyExecutionEnded
from notification_service.application.commands.update_contact import UpdateContact
from notification_service.application.commands.welcome_user import WelcomeUser
from notification_service.application.ports import EventKey
from notification_service.domain.account_occasions import HEARD, AccountFact
from notification_service.domain.delivery import Attempt
from notification_service.domain.errors import EventMalformed
from notification_service.domain.notification import Notification, Preferences
from notification_service.domain.occasions import (
    EndStatus,
    ExecutionEnded,
    Problem,
    WorkflowName,
)
from notification_service.domain.recipient import Contact, Recipient, contact
from protos.notification.v1 import notification_pb2 as pb

CONSUMER = "notification"
"""The durable name under which this service hears what happens to users."""

ENDINGS = "notification-endings"
"""And under which it hears that executions have ended."""

USER_REGISTERED = "io.autoworker.auth.user-registered.v1"
USER_UPDATED = "io.autoworker.auth.user-updated.v1"
USER_DELETED = "io.autoworker.auth.user-deleted.v1"
SESSION_REVOKED = "io.autoworker.auth.session-revoked.v1"
ACCOUNT_FACTS = {f"io.autoworker.auth.{kind}.v1": kind for kind in sorted(HEARD)}
"""Types of events about accounts that their owners hear of, and what each is called here."""
UNMAILED = frozenset(
    f"io.autoworker.auth.{kind}.v1"
    for kind in ("session-revoked", "api-key-created", "api-key-rotated")
)
"""Those of which auth_service has not told anybody by mail."""
EXECUTION_ENDED = "io.autoworker.workflow.execution-ended.v1"

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _User(msgspec.Struct, frozen=True):
    """Data of the events of auth_service; what else is in there is not ours to judge."""

    user_id: _Name
    tenant: _Name
    email: str
    name: str | None = None


class _AccountFact(msgspec.Struct, frozen=True):
    """Data of the events of auth_service about accounts."""

    user_id: _Name
    tenant: _Name
    at: _Moment
    facts: dict[str, str] = msgspec.field(default_factory=dict)
    reason: str = ""


class _Workflow(msgspec.Struct, frozen=True):
    namespace: _Name
    name: _Name
    version: _Name


class _Problem(msgspec.Struct, frozen=True):
    type: str = "about:blank"
    status: int = 0
    title: str | None = None
    detail: str | None = None
    instance: str | None = None


class _Ended(msgspec.Struct, frozen=True):
    """Data of the event of workflow_service."""

    execution_id: _Name
    workflow: _Workflow
    status: EndStatus
    tenant: _Name
    ended_at: _Moment
    owner: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    error: _Problem | None = None


Data = TypeVar("Data", _User, _Ended, _AccountFact)


def welcome_user(event: CloudEvent) -> WelcomeUser:
    """From USER_REGISTERED.

    Raises:
        EventMalformed: it does not say what it should.
    """
    return WelcomeUser(_key(event), _contact(event))


def update_contact(event: CloudEvent) -> UpdateContact:
    """From USER_UPDATED.

    Raises:
        EventMalformed: it does not say what it should.
    """
    return UpdateContact(_key(event), _contact(event))


def notify_execution_ended(event: CloudEvent) -> NotifyExecutionEnded:
    """From EXECUTION_ENDED.

    Raises:
        EventMalformed: it does not say what it should.
    """
    data = _data(event, _Ended)
    workflow = WorkflowName(data.workflow.namespace, data.workflow.name, data.workflow.version)
    fact = ExecutionEnded(
        execution_id=data.execution_id,
        workflow=workflow,
        status=data.status,
        owner=Recipient(data.tenant, data.owner) if data.owner else None,
        error=None if data.error is None else _problem(data.error),
        ended_at=data.ended_at,
    )
    return NotifyExecutionEnded(_key(event), fact)


def notify_account_fact(event: CloudEvent) -> NotifyAccountFact | None:
    """From one of ACCOUNT_FACTS; None when nobody need hear of it.

    Raises:
        EventMalformed: it does not say what it should.
    """
    data = _data(event, _AccountFact)
    revoked = event.type == SESSION_REVOKED
    if revoked and data.reason != "refresh_token_reused":
        return None
    owner = Recipient(data.tenant, data.user_id)
    fact = AccountFact(ACCOUNT_FACTS[event.type], owner, data.at, data.facts)
    return NotifyAccountFact(_key(event), fact, mailed=event.type not in UNMAILED)


def erase_user(event: CloudEvent) -> EraseUser:
    """From USER_DELETED.

    Raises:
        EventMalformed: it does not say what it should.
    """
    data = _data(event, _AccountFact)
    return EraseUser(_key(event), Recipient(data.tenant, data.user_id))


def recipient_of(principal: Principal) -> Recipient:
    """The caller, as somebody who gets notifications."""
    return Recipient(principal.tenant, principal.id)


def notification_message(notification: Notification) -> pb.Notification:
    """To the wire."""
    read_at = notification.read_at
    return pb.Notification(
        id=notification.id,
        type=notification.message.type,
        title=notification.message.title,
        body=notification.message.body,
        data=notification.message.data,
        read_at=None if read_at is None else _timestamp(read_at),
        created_at=_timestamp(notification.created_at),
        position=notification.position,
    )


def preferences_message(preferences: Preferences) -> pb.Preferences:
    """To the wire."""
    return pb.Preferences(email=preferences.email)


def delivery_message(attempt: Attempt) -> pb.Delivery:
    """To the wire."""
    return pb.Delivery(
        id=attempt.id,
        notification_id=attempt.notification_id,
        channel=attempt.channel.value,
        target=attempt.target,
        status=attempt.status.value,
        attempt=attempt.number,
        error=attempt.error,
        attempted_at=_timestamp(attempt.attempted_at),
    )


def _key(event: CloudEvent) -> EventKey:
    return EventKey(event.source, event.id)


def _contact(event: CloudEvent) -> Contact:
    data = _data(event, _User)
    if event.time.tzinfo is None:
        raise EventMalformed(f"An event of type {event.type} has a time without a zone.")
    return contact(
        Recipient(data.tenant, data.user_id), data.email, data.name or "", as_of=event.time
    )


def _data(event: CloudEvent, shape: type[Data]) -> Data:
    try:
        data = msgspec.json.decode(event.data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise EventMalformed(f"An event of type {event.type} cannot be understood: {exc}") from exc
    if event.extensions.get("tenant", data.tenant) != data.tenant:
        raise EventMalformed(f"An event of type {event.type} names two tenants.")
    return data


def _problem(problem: _Problem) -> Problem:
    return Problem(
        type=problem.type,
        status=problem.status,
        title=problem.title or "",
        detail=problem.detail or "",
        instance=problem.instance or "",
    )


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
