"""What an execution can undo, and that it is doing so."""

from __future__ import annotations

import msgspec

from workflow_service.domain.definition.compensation import compensation_of
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue


class Compensation(msgspec.Struct, frozen=True, omit_defaults=True):
    """A task that has completed and can be undone, with all that undoing it needs."""

    task: str
    """Its reference."""
    frame: str
    """Its frame: a task that is done again by a retry is undone once, as it was done last."""
    input: JsonValue
    output: JsonValue
    """Its raw output."""
    variables: dict[str, JsonValue] = {}
    """What its expressions saw besides the standard arguments: the items of loops, caught errors."""

    @property
    def frame_id(self) -> str:
        """Id of the frame that undoes it."""
        return compensation_of(self.frame)

    def shown(self, error: Problem | None) -> JsonValue:
        """Return it as the tasks that undo it see it."""
        return {
            "task": self.task,
            "input": self.input,
            "output": self.output,
            "error": None if error is None else error.as_json(),
        }


class Compensating(msgspec.Struct, frozen=True, omit_defaults=True):
    """The execution is undoing what it has done, before it ends as it was to end."""

    error: Problem | None = None
    """What it will fault with; None: it was cancelled."""
    reason: str = ""
    by: str = ""
    """Who cancelled it."""
