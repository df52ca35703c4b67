"""What kinds of task without tasks inside have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from workflow_service.domain.execution.state import HistoryBroken

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Task
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.problem import Problem
    from workflow_service.domain.execution.state import Frame


class Leaf:
    """Nothing ever ends or faults inside."""

    def child_ended(self, advance: Advance, frame: Frame, task: Task, directive: str) -> NoReturn:
        """Refuse: the history is broken."""
        raise HistoryBroken(f"{frame.id} has no tasks inside")

    def list_ended(self, advance: Advance, frame: Frame, task: Task) -> NoReturn:
        """Refuse: the history is broken."""
        raise HistoryBroken(f"{frame.id} has no tasks inside")

    def child_faulted(
        self, advance: Advance, frame: Frame, task: Task, problem: Problem
    ) -> NoReturn:
        """Refuse: the history is broken."""
        raise HistoryBroken(f"{frame.id} has no tasks inside")


class Composite:
    """A fault inside is a fault of the whole, unless a kind says otherwise."""

    def child_faulted(self, advance: Advance, frame: Frame, task: Task, problem: Problem) -> None:
        """Fault with the same problem."""
        advance.fault(frame.id, problem)
