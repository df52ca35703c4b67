"""``call: asyncapi``.

Source: Open Workflow Specification, DSL reference, "AsyncAPI Call".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.effects import AsyncApiPublish, AsyncApiTarget
from workflow_service.domain.execution.tasks.leaf import Leaf
from workflow_service.domain.execution.tasks.parts import (
    allowed_time,
    credentials,
    mapping,
    resource,
    text,
    word,
)

if TYPE_CHECKING:
    from workflow_service.domain.definition.service_tasks import AsyncApiOperation, PublishTask
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.execution.state import Frame
    from workflow_service.domain.expressions import JsonValue, Template


class Publish(Leaf):
    """Asks for one message to be sent."""

    def begin(self, advance: Advance, frame: Frame, task: PublishTask) -> None:
        """Evaluate the message and ask for it to be sent."""
        arguments, data = advance.arguments(frame, task), frame.input
        payload = UNSET if task.payload is None else data_flow.render(task.payload, data, arguments)
        headers = mapping(task.headers, data, arguments, "the headers of the message")
        whole: list[JsonValue] = [headers, None if payload is UNSET else payload]
        data_flow.bounded(whole, advance.limits.input_bytes, "the message", "input_bytes")
        call = AsyncApiPublish(
            target=target_of(task.target, data, arguments),
            payload=payload,
            headers=headers,
            timeout=allowed_time(advance, task, data, arguments),
        )
        advance.perform(frame, task, call)


def target_of(
    operation: AsyncApiOperation, data: JsonValue, arguments: Arguments
) -> AsyncApiTarget:
    """Return what is called, with every expression evaluated."""
    variables = mapping(operation.variables, data, arguments, "the variables of the server")
    return AsyncApiTarget(
        document=resource(operation.document, data, arguments),
        operation=_name(operation.operation, data, arguments, "the operation"),
        channel=_name(operation.channel, data, arguments, "the channel"),
        server=_name(operation.server, data, arguments, "the name of the server"),
        variables={name: text(value) for name, value in variables.items()},
        protocol=operation.protocol,
        credentials=credentials(operation.authentication, data, arguments),
    )


def _name(wanted: Template | None, data: JsonValue, arguments: Arguments, what: str) -> str:
    return "" if wanted is None else word(wanted, data, arguments, what)
