"""``switch``: the first case that holds says where to go.

Source: Open Workflow Specification, DSL reference, "Switch".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import SwitchTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.tasks.leaf import Leaf

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.state import Frame


class Switch(Leaf):
    """Its output is its input."""

    def begin(self, advance: Advance, frame: Frame, task: SwitchTask) -> None:
        """Find the case and complete, leaving where it says."""
        begun = advance.started(frame, task)
        advance.complete(frame.id, begun.input, _directive(advance, begun, task))


def _directive(advance: Advance, frame: Frame, task: SwitchTask) -> str:
    arguments = advance.arguments(frame, task)
    otherwise = task.then
    for case in task.cases:
        if case.when is None:
            otherwise = case.then
        elif data_flow.holds(case.when, frame.input, arguments):
            return case.then
    return otherwise
