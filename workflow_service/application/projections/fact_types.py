"""What every kind of fact is called in public, and the families that are told alike.

Source: Open Workflow Specification, DSL reference, "Lifecycle Events".
"""

from __future__ import annotations

from typing import Final, TypeAlias

from workflow_service.domain.execution.events import (
    ErrorCaught,
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
    TaskEvent,
    TaskExtended,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    CorrelationCompleted,
    CorrelationStarted,
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowEvent,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)

WORKFLOW: Final = "io.serverlessworkflow.workflow."
TASK: Final = "io.serverlessworkflow.task."
OWN: Final = "io.autoworker.workflow."

TYPES: Final[dict[type[WorkflowEvent | TaskEvent], str]] = {
    WorkflowAccepted: OWN + "execution-accepted.v1",
    WorkflowStarted: WORKFLOW + "started.v1",
    WorkflowSuspended: WORKFLOW + "suspended.v1",
    WorkflowResumed: WORKFLOW + "resumed.v1",
    WorkflowRetried: OWN + "execution-retried.v1",
    WorkflowRecovered: OWN + "execution-recovered.v1",
    WorkflowCancelled: WORKFLOW + "cancelled.v1",
    CompensationStarted: OWN + "compensation-started.v1",
    WorkflowFaulted: WORKFLOW + "faulted.v1",
    WorkflowCompleted: WORKFLOW + "completed.v1",
    CorrelationStarted: WORKFLOW + "correlation-started.v1",
    CorrelationCompleted: WORKFLOW + "correlation-completed.v1",
    TaskCreated: TASK + "created.v1",
    TaskSkipped: OWN + "task-skipped.v1",
    TaskStarted: TASK + "started.v1",
    TaskExtended: OWN + "task-extended.v1",
    IterationStarted: OWN + "iteration-started.v1",
    OutcomeRecorded: OWN + "outcome-recorded.v1",
    EventEmitted: OWN + "event-emitted.v1",
    EventReceived: OWN + "event-received.v1",
    EventConsumed: OWN + "event-consumed.v1",
    MessagesTaken: OWN + "messages-taken.v1",
    TaskCompleted: TASK + "completed.v1",
    TaskFaulted: TASK + "faulted.v1",
    TaskCancelled: TASK + "cancelled.v1",
    ErrorCaught: OWN + "error-caught.v1",
    RetryScheduled: OWN + "retry-scheduled.v1",
    TaskRetried: TASK + "retried.v1",
    TaskCompensating: OWN + "task-compensating.v1",
    TaskCompensated: OWN + "task-compensated.v1",
}
"""Public type of every kind of fact."""

WorkflowFact: TypeAlias = (
    WorkflowAccepted
    | WorkflowStarted
    | WorkflowSuspended
    | WorkflowResumed
    | WorkflowRetried
    | WorkflowRecovered
    | WorkflowCancelled
    | WorkflowFaulted
    | WorkflowCompleted
    | CompensationStarted
)
Correlation: TypeAlias = CorrelationStarted | CorrelationCompleted
TaskProgress: TypeAlias = (
    TaskCreated
    | TaskSkipped
    | TaskStarted
    | TaskExtended
    | IterationStarted
    | EventReceived
    | EventConsumed
    | MessagesTaken
    | TaskCompleted
    | TaskCancelled
    | TaskCompensating
    | TaskCompensated
)
TaskTrouble: TypeAlias = (
    OutcomeRecorded | EventEmitted | TaskFaulted | ErrorCaught | RetryScheduled | TaskRetried
)
