"""``do``: tasks one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import DoTask
from workflow_service.domain.execution.state import Doing, Frame
from workflow_service.domain.execution.tasks.leaf import Composite

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance


class Do(Composite):
    """Its output is the output of the last task that it ran."""

    def begin(self, advance: Advance, frame: Frame, task: DoTask) -> None:
        """Enter the list."""
        advance.enter(advance.started(frame, task, Doing()), task.do)

    def child_ended(self, advance: Advance, frame: Frame, task: DoTask, directive: str) -> None:
        """Go to the next task, or where the last one's ``then`` leads."""
        place = frame.doing(Doing)
        advance.follow(frame, task.do, place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: DoTask) -> None:
        """Complete with what the list came to."""
        advance.complete(frame.id, frame.data)
