"""What crosses the wire."""

from typing import Any

import msgspec
import pytest

from chassis.messaging.port import CloudEvent
from chassis.rpc.context import Principal
from notification_service.application.ports import EventKey
from notification_service.domain.errors import EventMalformed
from notification_service.domain.recipient import Recipient
from notification_service.entrypoints import messages
from tests.unit.notification_service.builders import ALICE, NOON, contact

USER = {
    "user_id": "alice",
    "tenant": "default",
    "email": "alice@example.org",
    "name": "Alice",
    "created_at": "2026-01-15T12:00:00Z",
}
ENDED = {
    "execution_id": "x1",
    "workflow": {"namespace": "shop", "name": "order", "version": "1.0.0"},
    "status": "completed",
    "owner": "alice",
    "tenant": "default",
    "error": None,
    "started_at": None,
    "ended_at": "2026-01-15T12:00:00.5Z",
}


def event(type_: str, data: object, **extensions: str) -> CloudEvent:
    raw = msgspec.Raw(data if isinstance(data, bytes) else msgspec.json.encode(data))
    return CloudEvent("e1", "/test", type_, NOON, raw, extensions=extensions)


def test_a_registration_is_understood() -> None:
    command = messages.welcome_user(event(messages.USER_REGISTERED, USER, tenant="default"))

    assert (command.event, command.contact) == (EventKey("/test", "e1"), contact())


def test_an_end_is_understood() -> None:
    command = messages.notify_execution_ended(event(messages.EXECUTION_ENDED, ENDED))

    assert command.fact.owner == ALICE
    assert command.fact.ended_at.microsecond == 500_000


@pytest.mark.parametrize("owner", [None, ""])
def test_an_execution_may_have_no_owner(owner: str | None) -> None:
    data = {**ENDED, "owner": owner}

    command = messages.notify_execution_ended(event(messages.EXECUTION_ENDED, data))

    assert command.fact.owner is None


def test_the_recipient_is_who_the_token_names() -> None:
    principal = Principal(id="alice", tenant="t2", kind="user")

    assert messages.recipient_of(principal) == Recipient("t2", "alice")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b'{"user_id": "\xff"}',
        {**USER, "user_id": ""},
        {**USER, "user_id": 7},
        {**USER, "tenant": "another"},
        {**USER, "email": "x@y.z\r\nBcc: all@example.org"},
        {key: value for key, value in USER.items() if key != "email"},
    ],
)
def test_a_registration_that_makes_no_sense_is_malformed(data: object) -> None:
    with pytest.raises(EventMalformed):
        messages.welcome_user(event(messages.USER_REGISTERED, data, tenant="default"))


@pytest.mark.parametrize(
    "change",
    [
        {"status": "running"},
        {"ended_at": "2026-01-15T12:00:00"},
        {"ended_at": None},
        {"workflow": {"namespace": "shop"}},
        {"owner": "x" * 257},
        {"error": "boom"},
    ],
)
def test_an_end_that_makes_no_sense_is_malformed(change: dict[str, Any]) -> None:
    with pytest.raises(EventMalformed):
        messages.notify_execution_ended(event(messages.EXECUTION_ENDED, {**ENDED, **change}))
