"""What crosses the wire, translated; pure functions. Workflow data is JSON bytes, whose integers stay integers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import UNSET, UnsetType

from chassis.errors import FieldProblem, Invalid
from chassis.rpc.context import Principal
from protos.events.v1 import events_pb2
from protos.workflow.v1 import workflow_pb2 as pb
from workflow_service.application.caller import Caller
from workflow_service.application.commands.publish_events import IncomingEvent
from workflow_service.application.commands.start_execution import StartExecution
from workflow_service.application.ports import StoredDefinition, Summary
from workflow_service.application.queries.get_history import GetHistory
from workflow_service.application.queries.list_executions import ListExecutions
from workflow_service.application.queries.shown_events import ShownEvent
from workflow_service.domain.execution.explain import Blocker, Explanation
from workflow_service.domain.execution.origin import Origin, ParentTask, ScheduledStart
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import masked_json, masked_text

DEEPEST: Final = 64
"""How many arrays and objects may be inside each other in what comes in."""

LONGEST_WAIT: Final = 60.0
"""Seconds that a start may wait for the end."""

READ_ALL: Final = "executions:read-all"
WRITE_ALL: Final = "executions:write-all"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def caller_of(principal: Principal) -> Caller:
    """Return who asks."""
    return Caller(
        id=principal.id,
        tenant=principal.tenant,
        reads_all=principal.may(READ_ALL),
        writes_all=principal.may(WRITE_ALL),
    )


# ------------------------------------------------------------------ coming in


def json_of(data: bytes, field: str) -> JsonValue:
    """Return the value that *data*, the bytes of *field*, stands for; nothing is null.

    Raises:
        Invalid: it is not JSON, or too deep.
    """
    if not data:
        return None
    try:
        value: JsonValue = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise _refused(field, "is not JSON") from exc
    except RecursionError as exc:
        raise _refused(field, f"is nested deeper than {DEEPEST} levels") from exc
    # Counting brackets is cheap, and clears nearly everything.
    if data.count(b"[") + data.count(b"{") > DEEPEST and _deeper(value, DEEPEST):
        raise _refused(field, f"is nested deeper than {DEEPEST} levels")
    return value


def optional_json_of(data: bytes, field: str) -> JsonValue | UnsetType:
    """Return the value of *data*, or UNSET when there is none.

    Raises:
        Invalid: as ``json_of`` does.
    """
    return json_of(data, field) if data else UNSET


def moment_of(stamp: Timestamp | None, field: str) -> datetime | None:
    """Return the time that the field called *field* says, if it is set.

    Raises:
        Invalid: no calendar has that time.
    """
    if stamp is None:
        return None
    try:
        return stamp.ToDatetime(UTC)
    except (ValueError, OverflowError) as exc:
        raise _refused(field, "is not a time between the years 1 and 9999") from exc


def start_of(request: pb.StartExecutionRequest, caller: Caller) -> StartExecution:
    """Return what a start asks for.

    Raises:
        Invalid: a field has no meaning.
    """
    return StartExecution(
        caller=caller,
        namespace=request.workflow.namespace,
        name=request.workflow.name,
        version=request.workflow.version or None,
        input=json_of(request.input, "input"),
        priority=request.priority,
        run_at=moment_of(request.run_at if request.HasField("run_at") else None, "run_at"),
        tags=json_of(request.tags, "tags"),
        idempotency_key=request.idempotency_key or None,
        wait=min(max(request.wait_ms / 1000, 0.0), LONGEST_WAIT),
    )


def list_of(request: pb.ListExecutionsRequest, caller: Caller) -> ListExecutions:
    """Return what a list asks for.

    Raises:
        Invalid: a time is none.
    """
    return ListExecutions(
        caller=caller,
        statuses=tuple(request.statuses),
        namespace=request.namespace or None,
        name=request.name or None,
        version=request.version or None,
        tag=request.tag or None,
        parent=request.parent or None,
        begin=moment_of(request.from_time if request.HasField("from_time") else None, "from"),
        end=moment_of(request.to_time if request.HasField("to_time") else None, "to"),
        limit=request.limit or None,
        cursor=request.cursor or None,
    )


def history_of(request: pb.GetHistoryRequest, caller: Caller) -> GetHistory:
    """Return what a page of a history asks for.

    Raises:
        Invalid: a time is none.
    """
    return GetHistory(
        caller=caller,
        execution=request.id,
        begin=moment_of(request.from_time if request.HasField("from_time") else None, "from"),
        end=moment_of(request.to_time if request.HasField("to_time") else None, "to"),
        limit=request.limit or None,
        cursor=request.cursor or None,
    )


def incoming_events(request: pb.PublishEventsRequest) -> tuple[IncomingEvent, ...]:
    """Return the events that somebody sent.

    Raises:
        Invalid: a time is none.
    """
    return tuple(map(incoming_event, request.events))


def incoming_event(message: events_pb2.CloudEvent) -> IncomingEvent:
    """Return the event that somebody sent.

    Raises:
        Invalid: its time is none.
    """
    return IncomingEvent(
        id=message.id,
        source=message.source,
        type=message.type,
        time=moment_of(message.time if message.HasField("time") else None, "time"),
        subject=message.subject or None,
        datacontenttype=message.data_content_type or None,
        dataschema=message.data_schema or None,
        data=message.data,
        extensions=dict(message.extensions),
    )


# ------------------------------------------------------------------ going out


def definition_message(stored: StoredDefinition, *, with_document: bool) -> pb.Definition:
    """Return a definition; lists go without documents."""
    return pb.Definition(
        workflow=pb.WorkflowReference(
            namespace=stored.namespace, name=stored.name, version=stored.version
        ),
        digest=stored.digest,
        created_at=_stamp(stored.created_at),
        document=stored.document if with_document else b"",
        title=stored.title,
        summary=stored.summary,
    )


def execution_message(summary: Summary) -> pb.Execution:
    """Return an execution."""
    return pb.Execution(
        id=summary.execution,
        workflow=pb.WorkflowReference(
            namespace=summary.namespace, name=summary.name, version=summary.version
        ),
        status=summary.status,
        input=_shown(summary.input),
        output=b"" if summary.output is UNSET else _shown(summary.output),
        error=b"" if summary.problem is None else _shown(summary.problem),
        priority=summary.priority,
        tags=b"" if summary.tags is None else _encode(summary.tags),
        created_at=_stamp(summary.created_at),
        started_at=_stamp(summary.started_at),
        ended_at=_stamp(summary.ended_at),
        run_at=_stamp(summary.run_at),
        owner=summary.owner,
        parent=_parent_message(summary.origin),
        schedule=_schedule_message(summary.origin),
    )


def _parent_message(origin: Origin | None) -> pb.ParentTask | None:
    if not isinstance(origin, ParentTask):
        return None
    return pb.ParentTask(execution_id=origin.execution, task=origin.task)


def _schedule_message(origin: Origin | None) -> pb.ScheduledStart | None:
    if not isinstance(origin, ScheduledStart):
        return None
    return pb.ScheduledStart(schedule_id=origin.schedule, kind=origin.kind, at=_stamp(origin.at))


def _shown(value: object) -> bytes:
    """Return *value* as people may see it: secrets are masked."""
    return masked_json(_encode(value))


def history_messages(events: Sequence[ShownEvent]) -> list[pb.HistoryEvent]:
    """Return facts of a history."""
    return [
        pb.HistoryEvent(
            sequence=event.sequence, type=event.type, time=_stamp(event.time), data=event.data
        )
        for event in events
    ]


def explanation_message(explanation: Explanation) -> pb.ExplainExecutionResponse:
    """Return why an execution is not moving."""
    return pb.ExplainExecutionResponse(
        status=explanation.status,
        summary=masked_text(explanation.summary),
        blockers=map(_blocker_message, explanation.blockers),
    )


def _blocker_message(blocker: Blocker) -> pb.Blocker:
    return pb.Blocker(
        kind=blocker.kind,
        task=blocker.task,
        waits_for=masked_text(blocker.waits_for),
        since=_stamp(blocker.since),
        wakes_at=_stamp(blocker.wakes_at),
        unblocked_by=blocker.unblocked_by,
    )


def _stamp(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    # FromDatetime() does the same in three times the time.
    since = moment - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def _deeper(value: JsonValue, levels: int) -> bool:
    """Whether *value* has more than *levels* of arrays and objects inside each other."""
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True


def _refused(field: str, message: str) -> Invalid:
    return Invalid("the request does not make sense", details=[FieldProblem(field, message)])
