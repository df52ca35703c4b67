"""The workflow service, over gRPC. Workflow data passes through as the bytes that came."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any, Final, cast

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.executions import execution_of, raw
from gateway.adapters.times import moment, stamp
from gateway.ports import (
    Blocker,
    Caller,
    Definition,
    DefinitionWithDocument,
    Execution,
    ExecutionFilter,
    Explanation,
    HistoryEvent,
    IncomingEvent,
    Page,
    PageRequest,
    StartRequest,
    Verb,
    WorkflowReference,
)
from protos.events.v1 import events_pb2
from protos.workflow.v1 import workflow_pb2 as pb
from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub

_Responses = AsyncGenerator[pb.WatchHistoryResponse, None]
NO_DATA: Final = Raw(b"{}")


class WorkflowsOverGrpc:
    """Implements the port `Workflows`.

    Args:
        client: an entered client of the workflow service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self._call = client.call
        self._stub = WorkflowServiceStub(client.channel)

    async def publish(
        self, caller: Caller, document: bytes, media_type: str
    ) -> tuple[Definition, bool]:
        """See `Workflows.publish`."""
        response = await self._call(
            self._stub.PublishDefinition,
            pb.PublishDefinitionRequest(document=document, media_type=media_type),
            token=caller.credential,
        )
        return _definition(response.definition), response.created

    async def definition(
        self, caller: Caller, reference: WorkflowReference
    ) -> DefinitionWithDocument:
        """See `Workflows.definition`."""
        response = await self._call(
            self._stub.GetDefinition,
            pb.GetDefinitionRequest(workflow=_reference_out(reference)),
            token=caller.credential,
        )
        found = response.definition
        return DefinitionWithDocument(**_summary(found), document=raw(found.document))

    async def definitions(
        self, caller: Caller, namespace: str, name: str, page: PageRequest
    ) -> Page[Definition]:
        """See `Workflows.definitions`."""
        response = await self._call(
            self._stub.ListDefinitions,
            pb.ListDefinitionsRequest(
                namespace=namespace, name=name, limit=page.limit, cursor=page.cursor
            ),
            token=caller.credential,
        )
        return Page(
            [_definition(each) for each in response.definitions], response.next_cursor or None
        )

    async def start(self, caller: Caller, request: StartRequest, timeout: float) -> Execution:
        """See `Workflows.start`."""
        response = await self._call(
            self._stub.StartExecution,
            pb.StartExecutionRequest(
                workflow=_reference_out(request.workflow),
                input=request.input,
                priority=request.priority,
                run_at=stamp(request.run_at),
                tags=request.tags,
                idempotency_key=request.idempotency_key,
                wait_ms=round(request.wait * 1000),
            ),
            token=caller.credential,
            timeout=timeout,
        )
        return execution_of(response.execution)

    async def command(self, caller: Caller, verb: Verb, execution: str, reason: str) -> Execution:
        """See `Workflows.command`."""
        match verb:
            case "cancel":
                return await self._act(
                    self._stub.CancelExecution,
                    pb.CancelExecutionRequest(id=execution, reason=reason),
                    caller,
                )
            case "suspend":
                return await self._act(
                    self._stub.SuspendExecution,
                    pb.SuspendExecutionRequest(id=execution, reason=reason),
                    caller,
                )
            case "resume":
                return await self._act(
                    self._stub.ResumeExecution,
                    pb.ResumeExecutionRequest(id=execution, reason=reason),
                    caller,
                )

    async def retry(
        self, caller: Caller, execution: str, reason: str, from_task: str, input: bytes
    ) -> Execution:
        """See `Workflows.retry`."""
        request = pb.RetryExecutionRequest(
            id=execution, reason=reason, from_task=from_task, input=input
        )
        return await self._act(self._stub.RetryExecution, request, caller)

    async def execution(self, caller: Caller, execution: str) -> Execution:
        """See `Workflows.execution`."""
        return await self._act(
            self._stub.GetExecution, pb.GetExecutionRequest(id=execution), caller
        )

    async def executions(
        self, caller: Caller, wanted: ExecutionFilter, page: PageRequest
    ) -> Page[Execution]:
        """See `Workflows.executions`."""
        response = await self._call(
            self._stub.ListExecutions,
            pb.ListExecutionsRequest(
                statuses=wanted.statuses,
                namespace=wanted.namespace,
                name=wanted.name,
                version=wanted.version,
                tag=wanted.tag,
                parent=wanted.parent,
                from_time=stamp(wanted.since),
                to_time=stamp(wanted.until),
                limit=page.limit,
                cursor=page.cursor,
            ),
            token=caller.credential,
        )
        return Page(
            [execution_of(each) for each in response.executions], response.next_cursor or None
        )

    async def history(
        self,
        caller: Caller,
        execution: str,
        since: datetime | None,
        until: datetime | None,
        page: PageRequest,
    ) -> Page[HistoryEvent]:
        """See `Workflows.history`."""
        response = await self._call(
            self._stub.GetHistory,
            pb.GetHistoryRequest(
                id=execution,
                from_time=stamp(since),
                to_time=stamp(until),
                limit=page.limit,
                cursor=page.cursor,
            ),
            token=caller.credential,
        )
        return Page([_event(each) for each in response.events], response.next_cursor or None)

    async def watch(
        self, caller: Caller, execution: str, after: int
    ) -> AsyncGenerator[Sequence[HistoryEvent], None]:
        """See `Workflows.watch`."""
        stream = self._client.stream(
            self._stub.WatchHistory,
            pb.WatchHistoryRequest(id=execution, after_sequence=after),
            token=caller.credential,
        )
        async with aclosing(cast("_Responses", stream)) as responses:
            async for response in responses:
                yield [_event(each) for each in response.events]

    async def explain(self, caller: Caller, execution: str) -> Explanation:
        """See `Workflows.explain`."""
        response = await self._call(
            self._stub.ExplainExecution,
            pb.ExplainExecutionRequest(id=execution),
            token=caller.credential,
        )
        blockers = [_blocker(each) for each in response.blockers]
        return Explanation(execution, response.status, response.summary, blockers)

    async def publish_events(self, caller: Caller, events: Sequence[IncomingEvent]) -> int:
        """See `Workflows.publish_events`."""
        response = await self._call(
            self._stub.PublishEvents,
            pb.PublishEventsRequest(events=[_event_out(event) for event in events]),
            token=caller.credential,
        )
        return response.accepted

    async def _act(self, method: Any, request: Any, caller: Caller) -> Execution:
        """Call one of the methods that answer with the execution."""
        response = await self._call(method, request, token=caller.credential)
        return execution_of(response.execution)


def _reference_out(reference: WorkflowReference) -> pb.WorkflowReference:
    return pb.WorkflowReference(
        namespace=reference.namespace, name=reference.name, version=reference.version
    )


def _summary(definition: pb.Definition) -> dict[str, Any]:
    return {
        "namespace": definition.workflow.namespace,
        "name": definition.workflow.name,
        "version": definition.workflow.version,
        "digest": definition.digest,
        "created_at": moment(definition.created_at),
        "title": definition.title,
        "summary": definition.summary,
    }


def _definition(definition: pb.Definition) -> Definition:
    return Definition(**_summary(definition))


def _event(event: pb.HistoryEvent) -> HistoryEvent:
    data = Raw(event.data) if event.data else NO_DATA
    return HistoryEvent(event.sequence, event.type, moment(event.time), data)


def _blocker(blocker: pb.Blocker) -> Blocker:
    return Blocker(
        blocker.kind,
        blocker.task,
        blocker.waits_for,
        moment(blocker.since),
        moment(blocker.wakes_at),
        blocker.unblocked_by,
    )


def _event_out(event: IncomingEvent) -> events_pb2.CloudEvent:
    return events_pb2.CloudEvent(
        id=event.id,
        source=event.source,
        type=event.type,
        subject=event.subject,
        time=stamp(event.time),
        data_content_type=event.data_content_type,
        data_schema=event.data_schema,
        data=event.data,
        extensions=event.extensions,
    )
