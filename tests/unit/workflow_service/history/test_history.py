"""Facts of a history in public words."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from tests.support.executions import accepted, at
from workflow_service.application.ports import Recorded
from workflow_service.application.projections.fact_types import TYPES
from workflow_service.application.projections.history import About, history_item
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    OAuthClient,
    OAuthCredentials,
    Resource,
)
from workflow_service.domain.execution.effects import Effect, HttpCall, OpenapiCall
from workflow_service.domain.execution.events import (
    ErrorCaught,
    Event,
    EventEmitted,
    IterationStarted,
    OutcomeRecorded,
    RetryScheduled,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskExtended,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.state import (
    Doing,
    Extending,
    Frame,
    Open,
    Performing,
    Sleeping,
)
from workflow_service.domain.execution.workflow_events import (
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)

ABOUT = About("e1", "shop", "order", "1.0.0")
NAME = "order-e1.shop"
NOW = "2026-01-15T10:30:07.250000Z"
LATER = "2026-01-15T10:31:00Z"
DEFINITION = {"name": "order", "namespace": "shop", "version": "1.0.0"}
ERROR = {
    "type": "https://serverlessworkflow.io/spec/1.0.0/errors/runtime",
    "status": 500,
    "title": "Runtime Error",
    "detail": "no",
}
TASK = {"workflow": NAME, "task": "/do/0/a"}
LIFECYCLE = "io.serverlessworkflow."
OWN = "io.autoworker.workflow."


def public(event: Event) -> tuple[str, Any]:
    item = history_item(ABOUT, Recorded(3, at(7.25), event))
    assert (item.sequence, item.time) == (3, at(7.25))
    return item.type, msgspec.json.decode(msgspec.json.encode(item.data))


def test_every_fact_has_a_public_type() -> None:
    assert set(TYPES) == set(get_args(Event))
    assert len(set(TYPES.values())) == len(TYPES)


CASES: list[tuple[Event, str, dict[str, Any]]] = [
    (
        WorkflowAccepted("e1", "shop", "order", "1.0.0", "d", "default", "ada", {"n": 1}, 3, ["a"], at(60)),
        OWN + "execution-accepted.v1",
        {"name": NAME, "definition": DEFINITION, "input": {"n": 1}, "priority": 3, "tags": ["a"], "run_at": LATER},
    ),
    (
        accepted("e1"),
        OWN + "execution-accepted.v1",
        {"name": NAME, "definition": DEFINITION, "input": None, "priority": 0},
    ),
    (
        WorkflowStarted({"n": 2}, at(60)),
        LIFECYCLE + "workflow.started.v1",
        {"name": NAME, "definition": DEFINITION, "startedAt": NOW, "input": {"n": 2}, "deadline": LATER},
    ),
    (
        WorkflowSuspended("tea", "ada"),
        LIFECYCLE + "workflow.suspended.v1",
        {"name": NAME, "suspendedAt": NOW, "reason": "tea", "by": "ada"},
    ),
    (WorkflowResumed(), LIFECYCLE + "workflow.resumed.v1", {"name": NAME, "resumedAt": NOW}),
    (
        WorkflowRecovered("node", ["/do/0/a"]),
        OWN + "execution-recovered.v1",
        {"name": NAME, "recoveredAt": NOW, "repeats": ["/do/0/a"]},
    ),
    (
        WorkflowCancelled("enough", "ada"),
        LIFECYCLE + "workflow.cancelled.v1",
        {"name": NAME, "cancelledAt": NOW, "reason": "enough", "by": "ada"},
    ),
    (
        WorkflowFaulted(runtime("no")),
        LIFECYCLE + "workflow.faulted.v1",
        {"name": NAME, "faultedAt": NOW, "error": ERROR},
    ),
    (
        WorkflowCompleted(None),
        LIFECYCLE + "workflow.completed.v1",
        {"name": NAME, "completedAt": NOW, "output": None},
    ),
    (TaskCreated("/do/0/a"), LIFECYCLE + "task.created.v1", TASK | {"createdAt": NOW}),
    (
        TaskCreated("/do/0/a", "/do/0/a#1", input=None),
        LIFECYCLE + "task.created.v1",
        TASK | {"frame": "/do/0/a#1", "createdAt": NOW, "input": None},
    ),
    (TaskSkipped("/do/0/a"), OWN + "task-skipped.v1", TASK | {"skippedAt": NOW}),
    (
        TaskStarted("/do/0/a", activity=Doing()),
        LIFECYCLE + "task.started.v1",
        TASK | {"startedAt": NOW},
    ),
    (
        TaskStarted("/do/0/a", input=5, activity=Sleeping(at(60)), deadline=at(60)),
        LIFECYCLE + "task.started.v1",
        TASK | {"startedAt": NOW, "input": 5, "until": LATER, "deadline": LATER},
    ),
    (
        TaskExtended("/do/0/a", activity=Extending(1, after=True, output=7), extensions=[0, 2]),
        OWN + "task-extended.v1",
        TASK | {"extendedAt": NOW, "extension": 2, "stage": "after"},
    ),
    (
        IterationStarted("/do/0/a", iteration=2),
        OWN + "iteration-started.v1",
        TASK | {"startedAt": NOW, "iteration": 2},
    ),
    (
        OutcomeRecorded("/do/0/a", output={"ok": True}),
        OWN + "outcome-recorded.v1",
        TASK | {"recordedAt": NOW, "output": {"ok": True}},
    ),
    (
        OutcomeRecorded("/do/0/a", error=runtime("no")),
        OWN + "outcome-recorded.v1",
        TASK | {"recordedAt": NOW, "error": ERROR},
    ),
    (
        EventEmitted("/do/0/a", event={"id": "1", "type": "x"}),
        OWN + "event-emitted.v1",
        TASK | {"emittedAt": NOW, "event": {"id": "1", "type": "x"}},
    ),
    (
        TaskCompleted("/do/0/a", output={"n": 2**60}),
        LIFECYCLE + "task.completed.v1",
        TASK | {"completedAt": NOW, "output": {"n": 2**60}},
    ),
    (
        TaskFaulted("/do/0/a", error=runtime("no")),
        LIFECYCLE + "task.faulted.v1",
        TASK | {"faultedAt": NOW, "error": ERROR},
    ),
    (TaskCancelled("/do/0/a"), LIFECYCLE + "task.cancelled.v1", TASK | {"cancelledAt": NOW}),
    (
        ErrorCaught("/do/0/a", error=runtime("no"), variable="error"),
        OWN + "error-caught.v1",
        TASK | {"caughtAt": NOW, "error": ERROR},
    ),
    (
        RetryScheduled("/do/0/a", error=runtime("no"), until=at(60), retries=2, first_fault_at=at(0)),
        OWN + "retry-scheduled.v1",
        TASK | {"error": ERROR, "attempt": 3, "until": LATER},
    ),
    (
        TaskRetried("/do/0/a", retries=2, deadline=at(60)),
        LIFECYCLE + "task.retried.v1",
        TASK | {"retriedAt": NOW, "attempt": 3, "deadline": LATER},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "kind", "data"), CASES, ids=lambda case: type(case).__name__)
def test_a_fact_is_told_in_the_words_of_the_dsl(
    event: Event, kind: str, data: dict[str, Any]
) -> None:
    assert public(event) == (kind, data)


CALL = HttpCall(
    "POST",
    "https://ada:sesame@shop.test/orders?page=2&api_key=sesame",
    {"Authorization": "Bearer sesame", "X-Api-Key": "sesame", "Accept": "text/plain"},
    {"access_token": "sesame", "size": 3},
    body={"n": 1},
    credentials=BasicCredentials("ada", "sesame"),
)


def test_a_call_is_shown_without_what_opens_doors() -> None:
    event = TaskStarted("/do/0/a", activity=Performing(Effect(1, "e1:/do/0/a", CALL)))

    _, data = public(event)

    assert data == TASK | {
        "startedAt": NOW,
        "effect": "e1:/do/0/a",
        "call": {
            "method": "POST",
            "uri": "https://***@shop.test/orders?page=2&api_key=***",
            "headers": {"Authorization": "***", "X-Api-Key": "***", "Accept": "text/plain"},
            "query": {"access_token": "***", "size": 3},
            "body": {"n": 1},
            "credentials": "***",
        },
    }
    assert "sesame" not in msgspec.json.encode(data).decode()


def test_an_operation_is_shown_without_what_opens_doors() -> None:
    sesame = OAuthCredentials(
        authority="https://a.test",
        grant="client_credentials",
        client=OAuthClient("ada", "sesame"),
    )
    call = OpenapiCall(
        Resource("https://docs.test/api?token=sesame", BasicCredentials("ada", "sesame")),
        "order",
        {"api_key": "sesame", "size": 3},
        credentials=sesame,
    )

    _, data = public(TaskStarted("/do/0/a", activity=Performing(Effect(1, "k", call))))

    assert data["call"] == {
        "document": {"uri": "https://docs.test/api?token=***", "credentials": "***"},
        "operation": "order",
        "parameters": {"api_key": "***", "size": 3},
        "credentials": "***",
    }


def test_a_call_with_nothing_to_hide_is_shown_in_short() -> None:
    call = HttpCall("GET", "http://shop.test/a@b")

    _, data = public(TaskStarted("/do/0/a", activity=Performing(Effect(1, "k", call))))

    assert data["call"] == {"method": "GET", "uri": "http://shop.test/a@b"}


def test_a_retry_of_an_execution_does_not_show_where_it_stood() -> None:
    frame = Frame("f", "/do/0/a", "", None, None, Performing(Effect(1, "k", CALL)))
    position = Open(
        "e1", "shop", "order", "1.0.0", "d", "default", "ada", None, at(0), frames={"f": frame}
    )

    kind, data = public(WorkflowRetried(position, "/do/0/a", "again", "ada"))

    assert kind == OWN + "execution-retried.v1"
    assert data == {
        "name": NAME, "retriedAt": NOW, "task": "/do/0/a", "reason": "again", "by": "ada",
    }  # fmt: skip
