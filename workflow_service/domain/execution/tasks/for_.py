"""``for``: tasks once per item.

The output of one iteration is the input of the next; ``exit`` inside ends the iteration, not the loop.

Source: Open Workflow Specification, DSL reference, "For".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.model import ForTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.events import IterationStarted
from workflow_service.domain.execution.problem import Raised, expression, runtime
from workflow_service.domain.execution.state import Frame, Looping
from workflow_service.domain.execution.tasks.leaf import Composite
from workflow_service.domain.expressions import Template

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.expressions import JsonValue


class For(Composite):
    """Its output is what the last iteration came to; without an iteration, its input."""

    def begin(self, advance: Advance, frame: Frame, task: ForTask) -> None:
        """Evaluate the collection and begin the first iteration."""
        items = _items(advance, frame, task)
        self._iterate(advance, advance.started(frame, task, Looping(items)), task)

    def child_ended(self, advance: Advance, frame: Frame, task: ForTask, directive: str) -> None:
        """Go on in the iteration."""
        place = frame.doing(Looping)
        advance.follow(frame, task.do, place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: ForTask) -> None:
        """Begin the next iteration."""
        self._iterate(advance, frame, task)

    def _iterate(self, advance: Advance, frame: Frame, task: ForTask) -> None:
        activity = frame.doing(Looping)
        iteration = activity.iteration + 1
        if iteration >= len(activity.items) or not _goes_on(advance, frame, task, iteration):
            advance.complete(frame.id, frame.data)
            return
        advance.emit(
            IterationStarted(task.reference, frame.differing_id, iteration, task.each, task.at)
        )
        advance.enter(advance.draft.frame(frame.id), task.do)


def _items(advance: Advance, frame: Frame, task: ForTask) -> list[JsonValue]:
    arguments = advance.arguments(frame, task)
    if isinstance(task.collection, Template):
        items = data_flow.render(task.collection, frame.input, arguments)
    else:
        items = data_flow.evaluate(task.collection, frame.input, arguments)
    if not isinstance(items, list):
        raise Raised(expression("for.in must come to an array"))
    if len(items) > advance.limits.loop_items:
        told = f"a loop may walk at most {advance.limits.loop_items} items"
        raise Raised(runtime(beyond(told, "loop_items")))
    return items


def _goes_on(advance: Advance, frame: Frame, task: ForTask, iteration: int) -> bool:
    if task.while_condition is None:
        return True
    activity = frame.doing(Looping)
    item = {task.each: activity.items[iteration], task.at: iteration}
    return data_flow.holds(task.while_condition, frame.data, advance.arguments(frame, task, item))
