"""What operators count is told by commits."""

from __future__ import annotations

from typing import Any

from prometheus_client import REGISTRY

from tests.support.executions import beginning, completing, following
from workflow_service.adapters.metrics import observe_commit
from workflow_service.domain.execution.events import ErrorCaught
from workflow_service.domain.execution.problem import runtime
from workflow_service.domain.execution.workflow_events import WorkflowFaulted


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_start_and_an_end_are_counted_once_with_the_time_between() -> None:
    kind: dict[str, Any] = {"type": "metrics/counted"}
    first = beginning("e1", namespace="metrics", name="counted")
    for commit in (first, second := following(first, seconds=3), completing(second)):
        observe_commit(commit)

    assert value("workflow_executions_accepted_total", **kind) == 1
    assert value("workflow_executions_total", status="completed", **kind) == 1
    assert value("workflow_executions_total", status="running", **kind) == 0
    assert value("workflow_execution_duration_seconds_sum", **kind) == 4
    assert value("workflow_execution_duration_seconds_bucket", le="2.0", **kind) == 0
    assert value("workflow_execution_duration_seconds_bucket", le="5.0", **kind) == 1


def test_errors_are_counted_where_they_arose() -> None:
    kind: dict[str, Any] = {"type": "metrics/broken"}
    first = beginning("e1", namespace="metrics", name="broken")
    caught = ErrorCaught("/do/0/try", error=runtime("no"))
    fatal = WorkflowFaulted(runtime("no").at("/do/1/call"))
    observe_commit(following(first, caught, fatal))

    assert value("workflow_errors_total", stage="/do/0/try", **kind) == 1
    assert value("workflow_errors_total", stage="/do/1/call", **kind) == 1
