"""What lists show of an execution, derived from its state."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.application.ports import Summary
from workflow_service.domain.execution.events import Event
from workflow_service.domain.execution.schedule import status_of
from workflow_service.domain.execution.state import Ended, NotStarted, Open, State
from workflow_service.domain.execution.workflow_events import WorkflowAccepted


def summarise(
    previous: Summary | None, events: tuple[Event, ...], state: State, at: datetime
) -> Summary:
    """Return the summary after *events*, which led to *state*.

    Raises:
        ValueError: there is no previous summary, and the events do not begin with the acceptance.
    """
    summary = previous
    if summary is None:
        if not events or not isinstance(events[0], WorkflowAccepted):
            raise ValueError("an execution begins with its acceptance")
        summary = _accepted(events[0], at)
    match state:
        case NotStarted():
            return summary
        case Open(started_at=started):
            return replace(
                summary,
                status=status_of(state),
                input=state.input,
                started_at=started,
                ended_at=None,
                output=UNSET,
                problem=None,
            )
        case Ended(status=status, ended_at=ended, output=output, problem=problem):
            started = summary.started_at
            if started is None and status != "cancelled":
                started = at
            return replace(
                summary,
                status=status,
                started_at=started,
                ended_at=ended,
                output=output,
                problem=problem,
            )


def _accepted(event: WorkflowAccepted, at: datetime) -> Summary:
    return Summary(
        execution=event.execution,
        tenant=event.tenant,
        owner=event.owner,
        namespace=event.namespace,
        name=event.name,
        version=event.version,
        digest=event.digest,
        status="pending",
        priority=event.priority,
        tags=event.tags,
        input=event.input,
        created_at=at,
        run_at=event.run_at,
        origin=event.origin,
    )
