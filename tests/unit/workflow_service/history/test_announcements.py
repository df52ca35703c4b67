"""What the bus hears of a history."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chassis.messaging.port import CloudEvent
from tests.support.executions import at
from workflow_service.application.ports import Recorded
from workflow_service.application.projections.announcements import (
    Announced,
    Wanted,
    announcements,
    required,
)
from workflow_service.application.projections.history import About
from workflow_service.domain.execution.events import (
    Event,
    EventEmitted,
    TaskCompleted,
    TaskCreated,
    TaskFaulted,
    TaskStarted,
)
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.state import Sleeping
from workflow_service.domain.execution.workflow_events import (
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowResumed,
    WorkflowSuspended,
)
from workflow_service.domain.expressions import JsonValue

WHO = Announced(About("e1", "shop", "order", "1.0.0"), "default", "ada", at(1))
ENDED = "io.autoworker.workflow.execution-ended.v1"


def told(event: Event, wanted: Wanted = required) -> list[CloudEvent]:
    return list(announcements(WHO, Recorded(9, at(5), event), wanted))


def data_of(event: CloudEvent) -> Any:
    return msgspec.json.decode(event.data)


def test_a_fact_is_a_cloud_event_that_names_its_place() -> None:
    (event,) = told(TaskCompleted("/do/0/a", output=1))

    assert (event.id, event.source, event.subject) == ("e1/9", "/autoworker/workflow", "e1")
    assert (event.type, event.time) == ("io.serverlessworkflow.task.completed.v1", at(5))
    assert event.extensions == {"tenant": "default"}
    assert data_of(event)["output"] == 1


def test_a_large_output_is_fetched_and_not_sent() -> None:
    large = "x" * 65_536

    (task,) = told(TaskCompleted("/do/0/a", output=large))
    *_, workflow = told(WorkflowCompleted(large))

    assert "output" not in data_of(task)
    assert data_of(task)["outputUri"] == "/v1/executions/e1/history"
    assert data_of(workflow)["outputUri"] == "/v1/executions/e1"
    assert len(workflow.data) < 1_000


@pytest.mark.parametrize(
    ("end", "status", "error"),
    [
        (WorkflowCompleted("out"), "completed", None),
        (WorkflowCancelled("no", "ada"), "cancelled", None),
        (
            WorkflowFaulted(runtime("no")),
            "faulted",
            {
                "type": "https://serverlessworkflow.io/spec/1.0.0/errors/runtime",
                "status": 500,
                "title": "Runtime Error",
                "detail": "no",
            },
        ),
    ],
)
def test_an_end_is_told_to_those_who_notify(end: Event, status: str, error: object) -> None:
    ended, fact = told(end)

    assert (ended.type, ended.id, fact.id) == (ENDED, "e1/9/ended", "e1/9")
    assert data_of(ended) == {
        "execution_id": "e1",
        "workflow": {"namespace": "shop", "name": "order", "version": "1.0.0"},
        "status": status,
        "owner": "ada",
        "tenant": "default",
        "error": error,
        "started_at": "2026-01-15T10:30:01Z",
        "ended_at": "2026-01-15T10:30:05Z",
    }


def test_an_emitted_event_is_told_as_its_author_made_it() -> None:
    made: dict[str, JsonValue] = {
        "specversion": "1.0",
        "id": "m1",
        "source": "https://shop.test/orders",
        "type": "com.shop.sold",
        "time": "2026-01-01T00:00:00Z",
        "subject": "order 7",
        "datacontenttype": "application/json",
        "dataschema": "https://shop.test/schema",
        "data": {"n": 2**60},
        "color": "red",
        "weight": 3,
        "tenant": "forged",
    }

    event, fact = told(EventEmitted("/do/0/a", event=made))

    assert (event.id, event.source, event.type) == ("m1", made["source"], "com.shop.sold")
    assert (event.subject, event.dataschema) == ("order 7", "https://shop.test/schema")
    assert event.time.isoformat() == "2026-01-01T00:00:00+00:00"
    assert event.extensions == {"color": "red", "weight": "3", "tenant": "default"}
    assert data_of(event) == {"n": 2**60}
    assert fact.type == "io.autoworker.workflow.event-emitted.v1"


def test_an_emitted_event_with_the_least_it_may_have() -> None:
    event, _ = told(EventEmitted("/do/0/a", event={"id": "1", "source": "/s", "type": "t"}))

    assert (event.time, event.data, event.subject) == (at(5), msgspec.Raw(b""), None)


@pytest.mark.parametrize("kind", [ENDED, "io.serverlessworkflow.workflow.completed.v1"])
def test_an_author_cannot_speak_for_the_engine(kind: str) -> None:
    made: dict[str, JsonValue] = {"id": "1", "source": "/autoworker/workflow", "type": kind}

    assert [event.type for event in told(EventEmitted("/do/0/a", event=made))] == [
        "io.autoworker.workflow.event-emitted.v1"
    ]


def test_nothing_is_made_that_nobody_wants() -> None:
    facts: list[Event] = [WorkflowCompleted(1), EventEmitted("/do/0/a", event={"type": "x"})]

    for fact in facts:
        assert not list(announcements(WHO, Recorded(9, at(5), fact), lambda _: False))


STATUS = "io.serverlessworkflow.{}.status-changed.v1"


@pytest.mark.parametrize(
    ("fact", "kind", "data"),
    [
        (WorkflowCompleted(1), "workflow", {"status": "completed"}),
        (WorkflowSuspended(), "workflow", {"status": "suspended"}),
        (WorkflowResumed(), "workflow", {"status": "running"}),
        (TaskCreated("/do/0/a"), "task", {"task": "/do/0/a", "status": "pending"}),
        (TaskStarted("/do/0/a"), "task", {"task": "/do/0/a", "status": "running"}),
        (
            TaskStarted("/do/0/a", activity=Sleeping(at(9))),
            "task",
            {"task": "/do/0/a", "status": "waiting"},
        ),
        (TaskCompleted("/do/0/a"), "task", {"task": "/do/0/a", "status": "completed"}),
        (
            TaskFaulted("/do/0/a", error=runtime("no")),
            "task",
            {"task": "/do/0/a", "status": "faulted"},
        ),
    ],
)
def test_phases_are_told_to_those_who_ask_for_them(
    fact: Event, kind: str, data: dict[str, JsonValue]
) -> None:
    (event,) = told(fact, {STATUS.format(kind)}.__contains__)

    of = "name" if kind == "workflow" else "workflow"
    assert data_of(event) == {of: "order-e1.shop", "updatedAt": "2026-01-15T10:30:05Z", **data}
    assert event.id == "e1/9/status"
    assert STATUS.format(kind) not in [each.type for each in told(fact)]


@pytest.mark.parametrize(
    ("fact", "word"),
    [
        (WorkflowSuspended(tasks=["/do/0/a", "/do/1/b"]), "suspended"),
        (WorkflowResumed(tasks=["/do/0/a", "/do/1/b"]), "resumed"),
    ],
)
def test_tasks_are_suspended_and_resumed_with_their_workflow(fact: Event, word: str) -> None:
    workflow, *tasks = told(fact)

    assert workflow.type == f"io.serverlessworkflow.workflow.{word}.v1"
    assert {each.type for each in tasks} == {f"io.serverlessworkflow.task.{word}.v1"}
    assert [data_of(each) for each in tasks] == [
        {"workflow": "order-e1.shop", "task": task, f"{word}At": "2026-01-15T10:30:05Z"}
        for task in ("/do/0/a", "/do/1/b")
    ]
    assert len({each.id for each in (workflow, *tasks)}) == 3
