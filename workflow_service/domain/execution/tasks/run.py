"""``run``: other workflows.

Source: Open Workflow Specification, DSL reference, "Run", "Workflow Process".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.processes import LATEST
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.effects import WorkflowCall
from workflow_service.domain.execution.origin import ParentTask, depth_of
from workflow_service.domain.execution.problem import Raised, runtime
from workflow_service.domain.execution.tasks.leaf import Leaf
from workflow_service.domain.execution.tasks.parts import word
from workflow_service.domain.execution.workflow_calls import made_id

if TYPE_CHECKING:
    from workflow_service.domain.definition.processes import RunWorkflowTask
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.state import Frame
    from workflow_service.domain.expressions import JsonValue


class RunWorkflow(Leaf):
    """Asks for one execution of another workflow; the output of that one is the task's raw output."""

    def begin(self, advance: Advance, frame: Frame, task: RunWorkflowTask) -> None:
        """Evaluate which workflow, with what input, and ask for it."""
        opened, arguments, data = advance.opened, advance.arguments(frame, task), frame.input
        version = word(task.version, data, arguments, "the version of the workflow")
        call = WorkflowCall(
            execution=made_id(f"{opened.execution}:{frame.id}:{opened.effects + 1}"),
            namespace=word(task.namespace, data, arguments, "the namespace of the workflow"),
            name=word(task.workflow, data, arguments, "the name of the workflow"),
            version="" if version == LATEST else version,
            input=_input(advance, frame, task),
            tenant=opened.tenant,
            owner=opened.owner,
            parent=_parent(advance, task),
            priority=opened.priority,
        )
        advance.perform(frame, task, call)


def _input(advance: Advance, frame: Frame, task: RunWorkflowTask) -> JsonValue:
    if task.input is None:
        return {}
    given = data_flow.render(task.input, frame.input, advance.arguments(frame, task))
    limit = advance.limits.input_bytes
    data_flow.bounded(given, limit, "the input of the workflow that it runs", "input_bytes")
    return given


def _parent(advance: Advance, task: RunWorkflowTask) -> ParentTask:
    opened = advance.opened
    depth, deepest = depth_of(opened.origin) + 1, advance.limits.workflow_depth
    if depth > deepest:
        told = f"workflows may run each other at most {deepest} deep"
        raise Raised(runtime(beyond(told, "workflow_depth")))
    return ParentTask(opened.execution, task.reference, opened.effects + 1, depth, task.awaited)
