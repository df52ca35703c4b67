"""What operators count of executions, told by their commits."""

from __future__ import annotations

from typing import Final

from chassis.telemetry import metrics
from workflow_service.application.ports import Commit, Summary
from workflow_service.application.reached import reached
from workflow_service.domain.bounds import limits_in
from workflow_service.domain.execution.events import ErrorCaught, RetryScheduled, TaskFaulted
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.workflow_events import WorkflowFaulted

_ACCEPTED: Final = metrics.counter(
    "workflow_executions_accepted_total", "Executions taken on.", ["type"]
)
_EXECUTIONS: Final = metrics.counter(
    "workflow_executions_total", "Executions that ended, by how.", ["status", "type"]
)
_SECONDS: Final = metrics.histogram(
    "workflow_execution_duration_seconds",
    "From the start of executions to their end.",
    ["type"],
    buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60),
)
_ERRORS: Final = metrics.counter(
    "workflow_errors_total",
    "Errors that were caught, led to a retry or ended an execution, by where they arose.",
    ["type", "stage"],
)
_PAYLOADS: Final = metrics.counter(
    "workflow_payloads_total",
    "Large values of commits: stored for the first time, or found in the store already.",
    ["how"],
)

_OF_THE_WORKFLOW: Final = frozenset({"/input", "/output", "/timeout"})
"""Where errors arise that no task had."""


def observe_commit(commit: Commit) -> None:
    """Count what *commit* has made durable; ``type`` is ``namespace/name``."""
    summary = commit.summary
    kind = f"{summary.namespace}/{summary.name}"
    if commit.expected == 0:
        _ACCEPTED.child(kind).inc()
    for event in commit.events:
        match event:
            case ErrorCaught() | RetryScheduled():
                _ERRORS.child(kind, event.task).inc()
            case TaskFaulted():
                _count_limits(event.error, event.task)
            case WorkflowFaulted(error):
                if error.instance in _OF_THE_WORKFLOW:
                    _count_limits(error, error.instance)
                _ERRORS.child(kind, error.instance or "/").inc()
            case _:
                pass
    if summary.ended_at is not None:
        _ended(summary, kind)


def observe_payloads(new: int, shared: int) -> None:
    """Count large values that a commit stored, and those that it found stored."""
    if new:
        _PAYLOADS.child("stored").inc(new)
    if shared:
        _PAYLOADS.child("shared").inc(shared)


def _count_limits(error: Problem, place: str) -> None:
    """Count a limit where it was reached; what contains that place only passes the error on."""
    if error.instance == place and error.detail is not None:
        for limit in limits_in([error.detail]):
            reached(limit)


def _ended(summary: Summary, kind: str) -> None:
    _EXECUTIONS.child(summary.status, kind).inc()
    if summary.ended_at is not None:
        began = summary.started_at or summary.created_at
        _SECONDS.child(kind).observe((summary.ended_at - began).total_seconds())
