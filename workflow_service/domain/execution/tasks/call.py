"""``call``: functions of the world, and functions of ``use.functions``.

Source: Open Workflow Specification, DSL reference, "Call", "HTTP Call".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from workflow_service.domain.definition.model import (
    CallFunctionTask,
    CallHttpTask,
    CallServedTask,
)
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.effects import FunctionCall, HttpCall
from workflow_service.domain.execution.state import Calling, Frame, nearest_deadline
from workflow_service.domain.execution.tasks.leaf import Composite, Leaf
from workflow_service.domain.execution.tasks.parts import credentials, headers, mapping, uri

if TYPE_CHECKING:
    from datetime import datetime

    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.expressions import JsonValue, Template


class CallHttp(Leaf):
    """Asks for one HTTP request; its outcome is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: CallHttpTask) -> None:
        """Evaluate the request and ask for it."""
        arguments = advance.arguments(frame, task)
        call = HttpCall(
            method=task.method.upper(),
            uri=uri(task.endpoint, frame.input, arguments),
            headers=headers(task.headers, frame.input, arguments),
            query=mapping(task.query, frame.input, arguments, "query"),
            body=_body(task.body, frame.input, arguments),
            output=task.output,
            redirect=task.redirect,
            credentials=credentials(task.authentication, frame.input, arguments),
        )
        advance.perform(frame, task, call)


class CallServed(Leaf):
    """Asks for one call of a served function; its output is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: CallServedTask) -> None:
        """Evaluate the arguments and ask for the call."""
        arguments, given = advance.arguments(frame, task), frame.input
        if task.arguments is not None:
            given = data_flow.render(task.arguments, frame.input, arguments)
        limit = advance.limits.input_bytes
        data_flow.bounded(given, limit, "the function's arguments", "input_bytes")
        opened = advance.opened
        call = FunctionCall(
            name=task.function,
            version=task.version,
            arguments=given,
            tenant=opened.tenant,
            owner=opened.owner,
            task=task.reference,
            priority=opened.priority,
            deadline=_deadline(advance, frame, task),
        )
        advance.perform(frame, task, call)


class CallFunction(Composite):
    """Runs a function of ``use.functions`` with its arguments as the function's raw input."""

    def begin(self, advance: Advance, frame: Frame, task: CallFunctionTask) -> None:
        """Evaluate the arguments and enter the function."""
        begun = advance.started(frame, task, Calling())
        given = frame.input
        if task.arguments is not None:
            given = data_flow.render(task.arguments, frame.input, advance.arguments(begun, task))
        advance.create(begun, task.body, given=given)

    def child_ended(
        self, advance: Advance, frame: Frame, task: CallFunctionTask, directive: str
    ) -> None:
        """Complete with the function's output; its ``then`` means nothing outside of it."""
        advance.complete(frame.id, frame.data)

    def list_ended(self, advance: Advance, frame: Frame, task: CallFunctionTask) -> None:
        """Complete with the function's output."""
        advance.complete(frame.id, frame.data)


def _deadline(advance: Advance, frame: Frame, task: CallServedTask) -> datetime | None:
    """Return when the nearest time limit around a task that begins now ends it."""
    limits = [nearest_deadline(advance.opened, frame)]
    if task.timeout is not None:
        arguments = advance.arguments(frame, task)
        limits.append(advance.in_future(task.timeout, frame.input, arguments))
    return min((limit for limit in limits if limit is not None), default=None)


def _body(wanted: Template | None, data: JsonValue, arguments: Arguments) -> JsonValue | UnsetType:
    return UNSET if wanted is None else data_flow.render(wanted, data, arguments)
