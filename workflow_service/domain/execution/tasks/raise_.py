"""``raise``: an error of the author's.

Source: Open Workflow Specification, DSL reference, "Raise" and "Error".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.error_types import normalise_error_type
from workflow_service.domain.definition.model import RaiseTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.problem import Problem, Raised, configuration
from workflow_service.domain.execution.tasks.leaf import Leaf

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import ErrorDefinition
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.execution.state import Frame
    from workflow_service.domain.expressions import JsonValue, Template


class Raise(Leaf):
    """Faults with the error, placed at the task unless the author placed it elsewhere."""

    def begin(self, advance: Advance, frame: Frame, task: RaiseTask) -> None:
        """Evaluate the error and fault with it."""
        begun = advance.started(frame, task)
        problem = _problem(task.error, begun.input, advance.arguments(begun, task))
        advance.fault(frame.id, problem)


def _problem(error: ErrorDefinition, data: JsonValue, arguments: Arguments) -> Problem:
    status = data_flow.render(error.status, data, arguments)
    if not isinstance(status, int) or isinstance(status, bool):
        raise Raised(configuration("the error's status must come to a whole number"))
    kind = _text(error.type, data, arguments)
    if kind is None:
        raise Raised(configuration("the error's type must come to a text"))
    return Problem(
        normalise_error_type(kind),
        status,
        _text(error.title, data, arguments),
        _text(error.detail, data, arguments),
        _text(error.instance, data, arguments),
    )


def _text(wanted: Template | None, data: JsonValue, arguments: Arguments) -> str | None:
    if wanted is None:
        return None
    value = data_flow.render(wanted, data, arguments)
    if value is None or isinstance(value, str):
        return value
    raise Raised(configuration("the members of an error must come to texts"))
