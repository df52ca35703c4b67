"""How facts about the whole execution change its state; see ``evolve``."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.execution import undoing
from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.state import (
    ROOT,
    Doing,
    Ended,
    Frame,
    HistoryBroken,
    NotStarted,
    Open,
)
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    CorrelationCompleted,
    CorrelationStarted,
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFact,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)


def apply_to_workflow(  # noqa: C901 - a table, a row a fact
    draft: Draft, event: WorkflowFact, at: datetime
) -> None:
    """Change *draft* as *event* says.

    Raises:
        HistoryBroken: *event* cannot follow.
    """
    match event:
        case WorkflowRecovered() | CorrelationStarted() | CorrelationCompleted():
            pass
        case WorkflowAccepted():
            _accepted(draft, event, at)
        case WorkflowStarted():
            _started(draft, event, at)
        case WorkflowSuspended():
            draft.state = replace(draft.open, suspended_at=at)
        case WorkflowResumed():
            draft.state = replace(draft.open, suspended_at=None)
        case WorkflowRetried():
            draft.become(event.position)
        case CompensationStarted():
            draft.become(undoing.begun(draft.open, event))
        case WorkflowCancelled():
            draft.become(Ended("cancelled", at))
        case WorkflowFaulted():
            draft.become(
                Ended("faulted", at, stood=undoing.to_retry(draft.open), problem=event.error)
            )
        case WorkflowCompleted():
            draft.become(Ended("completed", at, output=event.output))


def _accepted(draft: Draft, event: WorkflowAccepted, at: datetime) -> None:
    if not isinstance(draft.state, NotStarted):
        raise HistoryBroken("an execution is accepted once")
    accepted = Open(
        execution=event.execution,
        namespace=event.namespace,
        name=event.name,
        version=event.version,
        digest=event.digest,
        tenant=event.tenant,
        owner=event.owner,
        input=event.input,
        accepted_at=at,
        priority=event.priority,
        run_at=event.run_at,
        origin=event.origin,
        trace=event.trace,
    )
    draft.become(accepted)


def _started(draft: Draft, event: WorkflowStarted, at: datetime) -> None:
    opened = draft.open
    data = opened.input if event.input is UNSET else event.input
    root = Frame(ROOT, "", "", opened.input, data, Doing(), data=data, started_at=at)
    draft.become(
        replace(
            opened,
            started_at=at,
            deadline=event.deadline,
            context=data,
            frames={ROOT: root},
        )
    )
