"""``wait``: a durable pause, which costs a row in the store and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import WaitTask
from workflow_service.domain.execution.state import Sleeping
from workflow_service.domain.execution.tasks.leaf import Leaf

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.state import Frame


class Wait(Leaf):
    """Its output is its input."""

    def begin(self, advance: Advance, frame: Frame, task: WaitTask) -> None:
        """Fall asleep."""
        until = advance.in_future(task.duration, frame.input, advance.arguments(frame, task))
        advance.started(frame, task, Sleeping(until))
