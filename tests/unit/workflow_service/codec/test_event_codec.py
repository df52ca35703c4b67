"""Stored events and snapshots come back as they were, also from older versions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from tests.support.executions import accepted, encode_events
from workflow_service.adapters.event_codec import (
    EVENTS_VERSION,
    StoredEvent,
    UnreadableHistory,
    decode_events,
    events_from,
)
from workflow_service.domain.events import Progress
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    OAuthClient,
    OAuthCredentials,
    OAuthEndpoints,
    OAuthRequest,
    OAuthToken,
    Resource,
    SecretCredentials,
)
from workflow_service.domain.execution.effects import Effect, HttpCall, OpenapiCall, Succeeded
from workflow_service.domain.execution.events import (
    ErrorCaught,
    Event,
    EventConsumed,
    EventEmitted,
    EventReceived,
    IterationStarted,
    MessagesTaken,
    OutcomeRecorded,
    RetryScheduled,
    TaskCancelled,
    TaskCompensated,
    TaskCompensating,
    TaskCompleted,
    TaskCreated,
    TaskExtended,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.state import (
    BackingOff,
    Calling,
    Created,
    Doing,
    Extending,
    Faulted,
    Forking,
    Frame,
    Halted,
    Handling,
    LiveActivity,
    Looping,
    Open,
    Performed,
    Performing,
    Sleeping,
    Trying,
)
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    CorrelationCompleted,
    CorrelationStarted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)
from workflow_service.domain.expressions import JsonValue

NOW = datetime(2026, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)
VALUE: JsonValue = {"n": 2**70, "x": 1.0, "s": "ü\x00", "l": [None, True, {"deep": []}]}
CALL = HttpCall(
    "POST", "https://x.test/", {"A": "b"}, body=VALUE, credentials=BearerCredentials("t")
)
POLICIES: list[Credentials] = [
    BasicCredentials("u", "p"),
    DigestCredentials("u", "p"),
    CertificateCredentials("c", "k"),
    CertificateCredentials("c", "k", "a"),
    OAuthCredentials(authority="https://a.test", grant="client_credentials"),
    OAuthCredentials(
        authority="https://a.test",
        grant="urn:ietf:params:oauth:grant-type:token-exchange",
        oidc=True,
        endpoints=OAuthEndpoints("/t", "/r", "/i"),
        client=OAuthClient("i", "s", "a", "private_key_jwt"),
        request=OAuthRequest("application/json"),
        issuers=("i",),
        scopes=("s",),
        audiences=("a",),
        subject=OAuthToken("t", "jwt"),
        actor=OAuthToken("t", "jwt"),
        refresh_token="r",
    ),
    SecretCredentials("oidc", {"client": {"id": "marker"}, "scopes": ["marker"]}),
]
DESCRIBED = [
    OpenapiCall(Resource("https://d.test", each), "op", {"a": VALUE}, "raw", True, each)
    for each in POLICIES
]
PROBLEM = runtime("no").at("/do/0/a")

ACTIVITIES: list[LiveActivity] = [
    Created(),
    Doing(1, 2),
    Looping([1, "two"], 1, 2, 3),
    Forking(3, {0: VALUE, 2: None}),
    Trying(1, NOW, NOW, 2, 3),
    BackingOff(NOW, 1, NOW, PROBLEM),
    Handling(PROBLEM, 1, 2),
    Calling(),
    Sleeping(NOW),
    Listening(
        2, Progress({"room": "7"}, {"to/0/subject": "x"}, (1,), (0,), True, 3), [VALUE], [1], 9, 1
    ),
    Performing(Effect(7, "key", CALL)),
    *(Performing(Effect(8, "key", each)) for each in DESCRIBED),
    Performed(Succeeded(VALUE)),
]
POSITION = Open(
    "e1", "shop", "order", "1.0.0", "d", "default", "ada", VALUE, NOW,
    frames={
        str(n): Frame(str(n), "/do/0/a", "", VALUE, None, activity, variables={"item": VALUE})
        for n, activity in enumerate([*ACTIVITIES, Faulted(PROBLEM, ACTIVITIES[10]), Halted(Doing())])
    },
)  # fmt: skip
EVENTS: list[Event] = [
    accepted("e1", VALUE),
    WorkflowStarted(VALUE, NOW),
    WorkflowSuspended("tea", "ada"),
    WorkflowResumed("back", "ada"),
    WorkflowRetried(POSITION, "/do/0/a", "again", "ada"),
    WorkflowRecovered("node", ["/do/0/a"]),
    WorkflowCancelled("enough", "ada"),
    WorkflowFaulted(PROBLEM),
    WorkflowCompleted(VALUE),
    TaskCreated("/do/0/a", "f", "p", 1, 2, 3, None),
    TaskSkipped("/do/0/a"),
    *(TaskStarted("/do/0/a", "f", VALUE, activity, NOW) for activity in ACTIVITIES),
    IterationStarted("/do/0/a", "f", 3, "each", "at"),
    TaskExtended(
        "/do/0/a", "f", activity=Extending(1, True, 2, 3, {"x": 1}, "b"), extensions=[0, 2]
    ),
    OutcomeRecorded("/do/0/a", "f", None),
    EventEmitted("/do/0/a", event={"id": "1", "data": VALUE}),
    CorrelationStarted("/do/0/a", "f"),
    CorrelationCompleted("/do/0/a", "f", {"room": "7"}),
    EventReceived("/do/0/a", "f", 3, "1", "/s", "a", VALUE, {"room": "7"}, 2, True),
    EventReceived("/do/0/a", "f", 3),
    EventConsumed("/do/0/a", "f", VALUE, VALUE),
    MessagesTaken("/do/0/a", "f", [0, 2], True),
    TaskCompleted("/do/0/a", "f", VALUE, VALUE),
    TaskFaulted("/do/0/a", error=PROBLEM),
    TaskCancelled("/do/0/a"),
    ErrorCaught("/do/0/a", error=PROBLEM, variable="error"),
    RetryScheduled("/do/0/a", error=PROBLEM, until=NOW, retries=2, first_fault_at=NOW),
    TaskRetried("/do/0/a", "f", 2, NOW),
    CompensationStarted(PROBLEM, "enough", "ada"),
    TaskCompleted("/do/0/a", "f", VALUE, VALUE, True, VALUE),
    TaskCompensating("/do/0/a", "f"),
    TaskCompensated("/do/0/a", "f"),
]


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event) for event in EVENTS} == set(get_args(Event))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert decode_events(encode_events([event])) == [event]


def test_events_can_be_read_one_by_one_from_any_place() -> None:
    data = encode_events(EVENTS)

    assert [event for event, _ in events_from(data, EVENTS_VERSION, 3)] == EVENTS[3:]
    assert [*events_from(data, EVENTS_VERSION, len(EVENTS))] == []
    assert sum(size for _, size in events_from(data, EVENTS_VERSION, 0)) == pytest.approx(
        len(data), abs=len(EVENTS) + 1
    )


def test_older_events_are_brought_up_step_by_step() -> None:
    def rename(event: StoredEvent) -> StoredEvent:
        return {("reason" if name == "why" else name): value for name, value in event.items()}

    def shout(event: StoredEvent) -> StoredEvent:
        return event | {"reason": str(event["reason"]).upper()}

    old = b'[{"e":"suspended","why":"tea","by":"ada"}]'

    found = decode_events(old, 1, current=3, upcasters={1: rename, 2: shout})

    assert found == [WorkflowSuspended("TEA", "ada")]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_upcasting_knows_every_member_of_every_event(event: Event) -> None:
    found = decode_events(
        encode_events([event]), 0, current=1, upcasters={0: lambda stored: stored}
    )

    assert found == [event]


def test_an_unknown_event_is_named() -> None:
    with pytest.raises(UnreadableHistory, match="teleported"):
        decode_events(b'[{"e":"teleported"}]')
    with pytest.raises(UnreadableHistory, match="teleported"):
        _ = [*events_from(b'[{"e":"teleported"}]', EVENTS_VERSION, 0)]


def test_events_of_a_newer_version_are_refused() -> None:
    with pytest.raises(UnreadableHistory, match="newer version"):
        decode_events(b"[]", EVENTS_VERSION + 1)


@pytest.mark.parametrize("data", [b"", b"[", b"{}", b'[{"e":"completed"}]'])
def test_damaged_events_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableHistory):
        decode_events(data)


def test_a_short_fact_is_short() -> None:
    assert encode_events([TaskCreated("/do/0/a")]) == b'[{"e":"task-created","task":"/do/0/a"}]'
    assert msgspec.json.decode(encode_events([TaskCompleted("/do/0/a")])) == [
        {"e": "task-completed", "task": "/do/0/a"}
    ]
