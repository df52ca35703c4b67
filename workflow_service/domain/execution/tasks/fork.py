"""``fork``: tasks side by side.

Source: Open Workflow Specification, DSL reference, "Fork".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import END, ForkTask
from workflow_service.domain.execution.state import Forking, Frame
from workflow_service.domain.execution.tasks.leaf import Composite

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance


class Fork(Composite):
    """Its output is the list of its branches' outputs, in their order; when they compete, the first one's output.

    An error that a branch does not catch faults the fork, also when they compete.
    """

    def begin(self, advance: Advance, frame: Frame, task: ForkTask) -> None:
        """Create every branch."""
        branches = task.branches.tasks
        begun = advance.started(frame, task, Forking(len(branches)))
        if not branches:
            advance.complete(frame.id, [])
        for position, branch in enumerate(branches):
            advance.create(begun, branch, index=position, branch=position)

    def child_ended(self, advance: Advance, frame: Frame, task: ForkTask, directive: str) -> None:
        """Complete when the last branch has ended, or the first one of a race."""
        activity = frame.doing(Forking)
        if directive == END:
            advance.end_gracefully(next(reversed(activity.outputs.values())))
        elif task.compete:
            advance.cancel_inside(frame.id)
            advance.complete(frame.id, next(iter(activity.outputs.values())))
        elif len(activity.outputs) == activity.width:
            outputs = [activity.outputs[position] for position in range(activity.width)]
            advance.complete(frame.id, outputs)

    def list_ended(self, advance: Advance, frame: Frame, task: ForkTask) -> None:
        """Nothing: branches are no list."""
