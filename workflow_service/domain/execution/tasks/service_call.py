"""``call`` of services that are described elsewhere: gRPC, OpenAPI, A2A, MCP.

Source: Open Workflow Specification, DSL reference, "gRPC Call", "OpenAPI Call", "A2A Call", "MCP Call".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.service_tasks import McpOverHttp, McpOverPipes
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.effects import (
    A2aCall,
    GrpcCall,
    McpCall,
    McpHttp,
    McpStdio,
    OpenapiCall,
)
from workflow_service.domain.execution.problem import Raised, configuration
from workflow_service.domain.execution.tasks.leaf import Leaf
from workflow_service.domain.execution.tasks.parts import (
    allowed_time,
    credentials,
    headers,
    mapping,
    resource,
    text,
    word,
)

if TYPE_CHECKING:
    from workflow_service.domain.definition.service_tasks import (
        CallA2aTask,
        CallGrpcTask,
        CallMcpTask,
        CallOpenapiTask,
    )
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.execution.state import Frame
    from workflow_service.domain.expressions import JsonValue, Template


class CallGrpc(Leaf):
    """Asks for one call of a gRPC method; what it answers is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: CallGrpcTask) -> None:
        """Evaluate the call and ask for it."""
        arguments, data = advance.arguments(frame, task), frame.input
        message = _given(advance, task.arguments, data, arguments, "the arguments")
        call = GrpcCall(
            proto=resource(task.proto, data, arguments),
            service=word(task.service, data, arguments, "the name of the service"),
            host=task.host,
            port=task.port,
            tls=task.tls,
            method=word(task.method, data, arguments, "the method"),
            arguments=message,
            credentials=credentials(task.authentication, data, arguments),
            timeout=allowed_time(advance, task, data, arguments),
        )
        advance.perform(frame, task, call)


class CallOpenapi(Leaf):
    """Asks for one operation of a described service; its response is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: CallOpenapiTask) -> None:
        """Evaluate the call and ask for it."""
        arguments, data = advance.arguments(frame, task), frame.input
        call = OpenapiCall(
            document=resource(task.openapi, data, arguments),
            operation=word(task.operation, data, arguments, "operationId"),
            parameters=_given(advance, task.parameters, data, arguments, "the parameters"),
            output=task.output,
            redirect=task.redirect,
            credentials=credentials(task.authentication, data, arguments),
        )
        advance.perform(frame, task, call)


class CallA2a(Leaf):
    """Asks for one method of an agent; its result is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: CallA2aTask) -> None:
        """Evaluate the call and ask for it."""
        arguments, data = advance.arguments(frame, task), frame.input
        card, server = task.agent_card, task.server
        call = A2aCall(
            method=task.method,
            parameters=_given(advance, task.parameters, data, arguments, "the parameters"),
            agent_card=None if card is None else resource(card, data, arguments),
            server=None if server is None else resource(server, data, arguments),
            timeout=allowed_time(advance, task, data, arguments),
        )
        advance.perform(frame, task, call)


class CallMcp(Leaf):
    """Asks for one method of an MCP server; its result is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: CallMcpTask) -> None:
        """Evaluate the call and ask for it."""
        arguments, data = advance.arguments(frame, task), frame.input
        limits = [allowed_time(advance, task, data, arguments)]
        if task.call_timeout is not None:
            longest = advance.limits.longest_delay
            limits.append(data_flow.seconds(task.call_timeout, data, arguments, longest))
        call = McpCall(
            method=task.method,
            transport=_transport(task.transport, data, arguments),
            protocol_version=task.protocol_version,
            client_name=task.client_name,
            client_version=task.client_version,
            parameters=_given(advance, task.parameters, data, arguments, "the parameters"),
            timeout=min((limit for limit in limits if limit is not None), default=None),
        )
        advance.perform(frame, task, call)


def _given(
    advance: Advance, wanted: Template | None, data: JsonValue, arguments: Arguments, what: str
) -> dict[str, JsonValue]:
    given = mapping(wanted, data, arguments, what)
    data_flow.bounded(given, advance.limits.input_bytes, f"{what} of the call", "input_bytes")
    return given


def _transport(
    transport: McpOverHttp | McpOverPipes, data: JsonValue, arguments: Arguments
) -> McpHttp | McpStdio:
    match transport:
        case McpOverHttp(endpoint, wanted):
            return McpHttp(resource(endpoint, data, arguments), headers(wanted, data, arguments))
        case McpOverPipes(command, wanted, environment):
            vector = data_flow.render(wanted, data, arguments)
            if not isinstance(vector, list):
                raise Raised(configuration("the arguments of the command must come to an array"))
            variables = mapping(environment, data, arguments, "the environment of the command")
            return McpStdio(
                word(command, data, arguments, "the command"),
                [text(each) for each in vector],
                {name: text(value) for name, value in variables.items()},
            )
