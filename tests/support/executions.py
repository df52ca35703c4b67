"""Histories of executions as tests need them: commits that follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.application.ports import Commit, IdempotencyKey, Summary
from workflow_service.domain.execution.events import Event, TaskCompleted, TaskCreated
from workflow_service.domain.execution.workflow_events import (
    WorkflowAccepted,
    WorkflowCompleted,
    WorkflowStarted,
)
from workflow_service.domain.expressions import JsonValue

START = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """The time *seconds* after the start of the test's world."""
    return START + timedelta(seconds=seconds)


def summary(execution: str, **changes: Any) -> Summary:
    """A running execution of Ada's."""
    members: dict[str, Any] = {
        "execution": execution,
        "tenant": "default",
        "owner": "ada",
        "namespace": "shop",
        "name": "order",
        "version": "1.0.0",
        "digest": "sha256:abc",
        "status": "running",
        "priority": 0,
        "tags": None,
        "input": {"order": 7},
        "created_at": START,
        "started_at": START,
    }
    return Summary(**members | changes)


def accepted(execution: str, input: JsonValue = None) -> WorkflowAccepted:
    """The first fact of every history."""
    return WorkflowAccepted(
        execution=execution,
        namespace="shop",
        name="order",
        version="1.0.0",
        digest="sha256:abc",
        tenant="default",
        owner="ada",
        input=input,
    )


def encode_events(events: Sequence[Event]) -> bytes:
    """Events of the current version as they are stored, none of them large."""
    data, references = PayloadCodec().encoding("e1").encode_list(events)
    assert references is None
    return data


def key(text: str, *, fingerprint: str = "f", expires: float = 86_400) -> IdempotencyKey:
    """An idempotency key of Ada's that lives until *expires*, in seconds."""
    return IdempotencyKey("default", "ada", text, fingerprint, at(expires))


def beginning(
    execution: str, *events: Event, idempotency: IdempotencyKey | None = None, **changes: Any
) -> Commit:
    """The commit that begins *execution*; *changes* are of its summary."""
    facts = events or (accepted(execution), WorkflowStarted(), TaskCreated("/do/0/first"))
    now = summary(execution, **changes)
    return Commit(
        execution=execution,
        expected=0,
        epoch=0,
        at=now.created_at,
        events=facts,
        summary=now,
        wake_at=None,
        busy=True,
        idempotency=idempotency,
    )


def following(commit: Commit, *events: Event, seconds: float = 1, **changes: Any) -> Commit:
    """The commit after *commit*; *changes* are of the commit itself."""
    facts = events or (TaskCompleted("/do/0/first", output={"done": True}),)
    members: dict[str, Any] = {
        "expected": commit.expected + len(commit.events),
        "events": facts,
        "at": commit.at + timedelta(seconds=seconds),
        "snapshot": None,
        "idempotency": None,
    }
    return msgspec.structs.replace(commit, **members | changes)


def completing(commit: Commit, output: JsonValue = "bye") -> Commit:
    """The commit after *commit* that ends the execution."""
    last = following(commit, WorkflowCompleted(output), busy=False, wake_at=None)
    ended = msgspec.structs.replace(
        last.summary, status="completed", output=output, ended_at=last.at
    )
    return msgspec.structs.replace(last, summary=ended)
