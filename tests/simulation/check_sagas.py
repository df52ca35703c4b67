"""Sagas: before a bad end, everything that was completed and can be undone is undone, the last first, each once."""

from __future__ import annotations

from collections.abc import Iterator

from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.events import (
    Event,
    TaskCompensated,
    TaskCompensating,
    TaskCompleted,
)
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    WorkflowCancelled,
    WorkflowFaulted,
    WorkflowRetried,
)


class Sagas:
    """Follows one history: an oracle that knows the definition, and nothing of the engine's state."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._done: list[str] = []
        """Frames of what can be undone, in the order in which it was completed last."""
        self._undoing: str | None = None
        self._compensating = False
        self._cancelled = 0

    def after(self, event: Event) -> Iterator[str]:
        """Follow *event*, and yield what is wrong with it."""
        match event:
            case TaskCompleted() if self._definition.tasks[event.task].compensable:
                yield from ("it goes on while it is undone",) if self._compensating else ()
                self._done = [each for each in self._done if each != event.frame_id]
                self._done.append(event.frame_id)
            case CompensationStarted():
                yield from () if self._done else ("there was nothing to undo",)
                self._compensating = True
            case TaskCompensating():
                yield from self._begins(event)
            case TaskCompensated():
                if self._undoing != event.frame_id:
                    yield f"{event.frame_id} is undone, and {self._undoing} was being undone"
                self._done, self._undoing = self._done[:-1], None
            case WorkflowRetried():
                self._taken_up(event)
            case WorkflowFaulted() | WorkflowCancelled():
                yield from self._ends(event)
            case _:
                pass

    def _begins(self, event: TaskCompensating) -> Iterator[str]:
        if not self._compensating or self._undoing is not None:
            yield f"{event.frame_id} is not to be undone now"
        if not self._done or self._done[-1] != event.frame_id:
            yield f"{event.frame_id} is undone out of turn: {self._done} are left"
        self._undoing = event.frame_id

    def _ends(self, event: WorkflowFaulted | WorkflowCancelled) -> Iterator[str]:
        given_up = isinstance(event, WorkflowFaulted) and "was given up" in str(event.error.detail)
        forced = isinstance(event, WorkflowCancelled) and self._compensating
        if self._done and not (given_up or forced):
            yield f"it ended, and {self._done} were not undone"

    def _taken_up(self, event: WorkflowRetried) -> None:
        """A retry goes on undoing, or goes back to where less had been done."""
        self._compensating = event.position.compensating is not None
        self._done = [each.frame for each in event.position.compensations]
        self._undoing = None
