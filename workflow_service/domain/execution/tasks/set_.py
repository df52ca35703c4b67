"""``set``: data of the author's making."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import SetTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.tasks.leaf import Leaf

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.state import Frame


class Set(Leaf):
    """Its output is the evaluated value; it replaces the data, it does not merge with them."""

    def begin(self, advance: Advance, frame: Frame, task: SetTask) -> None:
        """Evaluate and complete."""
        begun = advance.started(frame, task)
        value = data_flow.render(task.value, begun.input, advance.arguments(begun, task))
        advance.complete(frame.id, value)
