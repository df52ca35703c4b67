"""The gRPC methods: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping

from grpc import aio

from chassis.rpc.context import current_call
from chassis.rpc.decisions import Reading, reads
from chassis.rpc.guards import Guard
from chassis.rpc.server import RpcServer
from protos.workflow.v1 import workflow_pb2 as pb
from protos.workflow.v1.workflow_pb2_grpc import (
    WorkflowServiceServicer,
    add_WorkflowServiceServicer_to_server,
)
from workflow_service.application.app import Application
from workflow_service.application.caller import Caller
from workflow_service.application.commands.cancel_execution import CancelExecution
from workflow_service.application.commands.publish_definition import PublishDefinition
from workflow_service.application.commands.publish_events import PublishEvents
from workflow_service.application.commands.resume_execution import ResumeExecution
from workflow_service.application.commands.retry_execution import RetryExecution
from workflow_service.application.commands.suspend_execution import SuspendExecution
from workflow_service.application.queries.check_definition import CheckDefinition
from workflow_service.application.queries.explain_execution import ExplainExecution
from workflow_service.application.queries.get_definition import GetDefinition
from workflow_service.application.queries.get_execution import GetExecution
from workflow_service.application.queries.list_definitions import ListDefinitions
from workflow_service.application.queries.paging import page_limit
from workflow_service.application.queries.validate_definition import ValidateDefinition
from workflow_service.application.queries.watch_history import WatchHistory
from workflow_service.entrypoints import messages
from workflow_service.entrypoints.check_messages import check_message

_SERVICE = "/autoworker.workflow.v1.WorkflowService"

GUARDS: Mapping[str, Guard] = {
    f"{_SERVICE}/PublishDefinition": "workflows:write",
    f"{_SERVICE}/ValidateDefinition": "workflows:write",
    f"{_SERVICE}/CheckDefinition": "workflows:write",
    f"{_SERVICE}/GetDefinition": "workflows:read",
    f"{_SERVICE}/ListDefinitions": "workflows:read",
    f"{_SERVICE}/StartExecution": "executions:write",
    f"{_SERVICE}/CancelExecution": "executions:write",
    f"{_SERVICE}/SuspendExecution": "executions:write",
    f"{_SERVICE}/ResumeExecution": "executions:write",
    f"{_SERVICE}/RetryExecution": "executions:write",
    f"{_SERVICE}/GetExecution": "executions:read",
    f"{_SERVICE}/ListExecutions": "executions:read",
    f"{_SERVICE}/GetHistory": "executions:read",
    f"{_SERVICE}/WatchHistory": "executions:read",
    f"{_SERVICE}/ExplainExecution": "executions:read",
    f"{_SERVICE}/PublishEvents": "events:write",
}

_OF_AN_EXECUTION = reads(id="id")
_OF_A_DEFINITION = {each: f"workflow.{each}" for each in ("namespace", "name", "version")}

READINGS: Mapping[str, Reading] = {
    f"{_SERVICE}/GetDefinition": reads(**_OF_A_DEFINITION),
    f"{_SERVICE}/ListDefinitions": reads(namespace="namespace", name="name"),
    f"{_SERVICE}/StartExecution": reads(**_OF_A_DEFINITION, tags="tags"),
    f"{_SERVICE}/CancelExecution": _OF_AN_EXECUTION,
    f"{_SERVICE}/SuspendExecution": _OF_AN_EXECUTION,
    f"{_SERVICE}/ResumeExecution": _OF_AN_EXECUTION,
    f"{_SERVICE}/RetryExecution": _OF_AN_EXECUTION,
    f"{_SERVICE}/GetExecution": _OF_AN_EXECUTION,
    f"{_SERVICE}/ListExecutions": reads(namespace="namespace", name="name", version="version"),
    f"{_SERVICE}/GetHistory": _OF_AN_EXECUTION,
    f"{_SERVICE}/WatchHistory": _OF_AN_EXECUTION,
    f"{_SERVICE}/ExplainExecution": _OF_AN_EXECUTION,
}
"""What policies may know of what is asked for."""


class WorkflowApi(WorkflowServiceServicer):
    """Serves the caller, whose identity comes from the token alone."""

    def __init__(self, app: Application) -> None:
        self._commands = app.commands
        self._queries = app.queries

    async def PublishDefinition(
        self,
        request: pb.PublishDefinitionRequest,
        context: aio.ServicerContext[pb.PublishDefinitionRequest, pb.PublishDefinitionResponse],
    ) -> pb.PublishDefinitionResponse:
        """Check a document and keep it under its version."""
        caller = _caller()
        published = await self._commands.publish_definition(
            PublishDefinition(caller.tenant, caller.id, request.document, request.media_type)
        )
        definition = messages.definition_message(published.definition, with_document=True)
        return pb.PublishDefinitionResponse(definition=definition, created=published.created)

    async def ValidateDefinition(
        self,
        request: pb.ValidateDefinitionRequest,
        context: aio.ServicerContext[pb.ValidateDefinitionRequest, pb.ValidateDefinitionResponse],
    ) -> pb.ValidateDefinitionResponse:
        """Check a document and keep nothing."""
        caller = _caller()
        query = ValidateDefinition(request.document, request.media_type, caller.tenant, caller.id)
        await self._queries.validate_definition(query)
        return pb.ValidateDefinitionResponse()

    async def CheckDefinition(
        self,
        request: pb.CheckDefinitionRequest,
        context: aio.ServicerContext[pb.CheckDefinitionRequest, pb.CheckDefinitionResponse],
    ) -> pb.CheckDefinitionResponse:
        """Tell what publishing a document would mean."""
        query = CheckDefinition(_caller(), request.document, request.media_type)
        return check_message(await self._queries.check_definition(query))

    async def GetDefinition(
        self,
        request: pb.GetDefinitionRequest,
        context: aio.ServicerContext[pb.GetDefinitionRequest, pb.GetDefinitionResponse],
    ) -> pb.GetDefinitionResponse:
        """One definition, in the newest version when none is named."""
        wanted = request.workflow
        found = await self._queries.get_definition(
            GetDefinition(_caller().tenant, wanted.namespace, wanted.name, wanted.version or None)
        )
        definition = messages.definition_message(found, with_document=True)
        return pb.GetDefinitionResponse(definition=definition)

    async def ListDefinitions(
        self,
        request: pb.ListDefinitionsRequest,
        context: aio.ServicerContext[pb.ListDefinitionsRequest, pb.ListDefinitionsResponse],
    ) -> pb.ListDefinitionsResponse:
        """A page of what is published."""
        page = await self._queries.list_definitions(
            ListDefinitions(
                _caller().tenant,
                request.namespace or None,
                request.name or None,
                page_limit(request.limit or None),
                request.cursor or None,
            )
        )
        return pb.ListDefinitionsResponse(
            definitions=[
                messages.definition_message(each, with_document=False) for each in page.items
            ],
            next_cursor=page.next_cursor or "",
        )

    async def StartExecution(
        self,
        request: pb.StartExecutionRequest,
        context: aio.ServicerContext[pb.StartExecutionRequest, pb.StartExecutionResponse],
    ) -> pb.StartExecutionResponse:
        """Take on an execution, and wait for its end if that is asked for."""
        started = await self._commands.start_execution(messages.start_of(request, _caller()))
        return pb.StartExecutionResponse(execution=messages.execution_message(started))

    async def CancelExecution(
        self,
        request: pb.CancelExecutionRequest,
        context: aio.ServicerContext[pb.CancelExecutionRequest, pb.CancelExecutionResponse],
    ) -> pb.CancelExecutionResponse:
        """End an execution."""
        command = CancelExecution(_caller(), request.id, request.reason)
        cancelled = await self._commands.cancel_execution(command)
        return pb.CancelExecutionResponse(execution=messages.execution_message(cancelled))

    async def SuspendExecution(
        self,
        request: pb.SuspendExecutionRequest,
        context: aio.ServicerContext[pb.SuspendExecutionRequest, pb.SuspendExecutionResponse],
    ) -> pb.SuspendExecutionResponse:
        """Halt an execution."""
        command = SuspendExecution(_caller(), request.id, request.reason)
        suspended = await self._commands.suspend_execution(command)
        return pb.SuspendExecutionResponse(execution=messages.execution_message(suspended))

    async def ResumeExecution(
        self,
        request: pb.ResumeExecutionRequest,
        context: aio.ServicerContext[pb.ResumeExecutionRequest, pb.ResumeExecutionResponse],
    ) -> pb.ResumeExecutionResponse:
        """Let a suspended execution go on."""
        command = ResumeExecution(_caller(), request.id, request.reason)
        resumed = await self._commands.resume_execution(command)
        return pb.ResumeExecutionResponse(execution=messages.execution_message(resumed))

    async def RetryExecution(
        self,
        request: pb.RetryExecutionRequest,
        context: aio.ServicerContext[pb.RetryExecutionRequest, pb.RetryExecutionResponse],
    ) -> pb.RetryExecutionResponse:
        """Take a faulted execution up again."""
        data = messages.optional_json_of(request.input, "input")
        command = RetryExecution(_caller(), request.id, request.reason, request.from_task, data)
        retried = await self._commands.retry_execution(command)
        return pb.RetryExecutionResponse(execution=messages.execution_message(retried))

    async def GetExecution(
        self,
        request: pb.GetExecutionRequest,
        context: aio.ServicerContext[pb.GetExecutionRequest, pb.GetExecutionResponse],
    ) -> pb.GetExecutionResponse:
        """One execution."""
        found = await self._queries.get_execution(GetExecution(_caller(), request.id))
        return pb.GetExecutionResponse(execution=messages.execution_message(found))

    async def ListExecutions(
        self,
        request: pb.ListExecutionsRequest,
        context: aio.ServicerContext[pb.ListExecutionsRequest, pb.ListExecutionsResponse],
    ) -> pb.ListExecutionsResponse:
        """A page of executions."""
        page = await self._queries.list_executions(messages.list_of(request, _caller()))
        return pb.ListExecutionsResponse(
            executions=map(messages.execution_message, page.items),
            next_cursor=page.next_cursor or "",
        )

    async def GetHistory(
        self,
        request: pb.GetHistoryRequest,
        context: aio.ServicerContext[pb.GetHistoryRequest, pb.GetHistoryResponse],
    ) -> pb.GetHistoryResponse:
        """A page of a history."""
        page = await self._queries.get_history(messages.history_of(request, _caller()))
        return pb.GetHistoryResponse(
            events=messages.history_messages(page.items), next_cursor=page.next_cursor or ""
        )

    async def WatchHistory(
        self,
        request: pb.WatchHistoryRequest,
        context: aio.ServicerContext[pb.WatchHistoryRequest, pb.WatchHistoryResponse],
    ) -> AsyncIterator[pb.WatchHistoryResponse]:
        """A history as it goes on. The headers go out once it is clear that there is one."""
        query = WatchHistory(_caller(), request.id, request.after_sequence)
        batches = await self._queries.watch_history(query)
        await context.send_initial_metadata(())
        async with contextlib.aclosing(batches):
            async for batch in batches:
                yield pb.WatchHistoryResponse(events=messages.history_messages(batch))

    async def ExplainExecution(
        self,
        request: pb.ExplainExecutionRequest,
        context: aio.ServicerContext[pb.ExplainExecutionRequest, pb.ExplainExecutionResponse],
    ) -> pb.ExplainExecutionResponse:
        """Why an execution is not moving."""
        query = ExplainExecution(_caller(), request.id)
        return messages.explanation_message(await self._queries.explain_execution(query))

    async def PublishEvents(
        self,
        request: pb.PublishEventsRequest,
        context: aio.ServicerContext[pb.PublishEventsRequest, pb.PublishEventsResponse],
    ) -> pb.PublishEventsResponse:
        """Take in events from outside."""
        events = messages.incoming_events(request)
        accepted = await self._commands.publish_events(PublishEvents(_caller(), events))
        return pb.PublishEventsResponse(accepted=accepted)


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer every use case of *app*."""
    server.add(add_WorkflowServiceServicer_to_server, WorkflowApi(app))


def _caller() -> Caller:
    return messages.caller_of(current_call().principal)
