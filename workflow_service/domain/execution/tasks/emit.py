"""``emit``: publishes a CloudEvent. The log is the outbox, so emitting is only a fact.

Source: Open Workflow Specification, DSL reference, "Emit", "Event Properties"; CloudEvents 1.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow_service.domain.definition.model import EmitTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.execution.problem import Raised, configuration
from workflow_service.domain.execution.tasks.leaf import Leaf

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.state import Frame
    from workflow_service.domain.expressions import JsonValue


class Emit(Leaf):
    """Its output is the event."""

    def begin(self, advance: Advance, frame: Frame, task: EmitTask) -> None:
        """Evaluate the event's attributes, fill in what the author left out, and emit."""
        begun = advance.started(frame, task)
        event = _complete_event(advance, begun, task)
        advance.emit(EventEmitted(task.reference, frame.differing_id, event))
        advance.complete(frame.id, dict(event))


def _complete_event(advance: Advance, frame: Frame, task: EmitTask) -> dict[str, JsonValue]:
    given = data_flow.render(task.event, frame.input, advance.arguments(frame, task))
    if not isinstance(given, dict):
        raise Raised(configuration("emit.event.with must come to an object"))
    opened = advance.opened
    event: dict[str, JsonValue] = {
        "specversion": "1.0",
        "id": f"{opened.execution}:{frame.id}",
        "source": f"/{opened.namespace}/{opened.name}/{opened.version}",
        "time": advance.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{name: value for name, value in given.items() if value is not None},
    }
    if "data" in event:
        event.setdefault("datacontenttype", "application/json")
    for name in ("id", "source", "type"):
        if not isinstance(event.get(name), str) or not event[name]:
            raise Raised(configuration(f"the event's {name} must come to a text"))
    return event
