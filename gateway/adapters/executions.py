"""Executions as they cross the wire."""

from typing import Final

from msgspec import UNSET, Raw, UnsetType

from gateway.adapters.times import moment
from gateway.ports import NULL, Execution, ParentTask, ScheduledStart, WorkflowReference
from protos.workflow.v1 import workflow_pb2 as pb

NO_TAGS: Final = Raw(b"{}")


def execution_of(execution: pb.Execution) -> Execution:
    """An execution as the HTTP contract has it."""
    workflow = execution.workflow
    return Execution(
        execution.id,
        WorkflowReference(workflow.namespace, workflow.name, workflow.version),
        execution.status,
        raw(execution.input),
        raw(execution.output),
        raw(execution.error),
        execution.priority,
        Raw(execution.tags) if execution.tags else NO_TAGS,
        moment(execution.created_at),
        moment(execution.started_at),
        moment(execution.ended_at),
        _parent(execution),
        _schedule(execution),
    )


def _parent(execution: pb.Execution) -> ParentTask | UnsetType:
    if not execution.HasField("parent"):
        return UNSET
    return ParentTask(execution.parent.execution_id, execution.parent.task)


def _schedule(execution: pb.Execution) -> ScheduledStart | UnsetType:
    if not execution.HasField("schedule"):
        return UNSET
    start = execution.schedule
    return ScheduledStart(start.schedule_id, start.kind, moment(start.at))


def raw(data: bytes) -> Raw:
    """*data* as they are, null without any."""
    return Raw(data) if data else NULL
