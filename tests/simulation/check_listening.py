"""Who listens hears every event that came since, in order, and each once."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.evidence import Evidence
from workflow_service.application.event_ports import Waiting
from workflow_service.domain.definition.model import Definition, ListenTask
from workflow_service.domain.execution.events import EventReceived, TaskStarted
from workflow_service.domain.execution.listeners import Listening


def listening_findings(evidence: Evidence) -> Iterator[str]:
    """Yield what is wrong with what executions have heard."""
    for execution, row in evidence.rows.items():
        definition = evidence.workflows[row.summary.digest].definition
        for waiting, (task, heard) in _heard(evidence, execution).items():
            if heard != sorted(set(heard)):
                yield f"{waiting} heard {heard}"
            begun = evidence.listened.get(waiting, [])
            if heard and not begun:
                yield f"{waiting} heard events without being subscribed"
            elif len(begun) == 1 and heard != (
                wanted := _wanted(evidence, definition, task, begun[0], len(heard))
            ):
                yield f"{waiting}, subscribed at {begun[0]}, heard {heard}, and was to hear {wanted}"


def _heard(evidence: Evidence, execution: str) -> dict[Waiting, tuple[str, list[int]]]:
    """Return the positions of the events that each subscription has taken, with its task."""
    numbers: dict[str, int] = {}
    found: dict[Waiting, tuple[str, list[int]]] = {}
    for committed in evidence.of(execution):
        for event in committed.commit.events:
            if isinstance(event, TaskStarted) and isinstance(event.activity, Listening):
                numbers[event.frame_id] = event.activity.number
                place = Waiting(execution, event.frame_id, event.activity.number)
                found[place] = (event.task, [])
            elif isinstance(event, EventReceived):
                place = Waiting(execution, event.frame_id, numbers[event.frame_id])
                found[place][1].append(event.position)
    return found


def _wanted(
    evidence: Evidence, definition: Definition, task: str, since: int, count: int
) -> list[int]:
    """Return the first events after a subscription that its task wants; each of its filters wants all events of a type."""
    listens = definition.tasks[task]
    assert isinstance(listens, ListenTask)
    ending = listens.to.ending
    filters = (*listens.to.filters, *(ending.filters if ending is not None else ()))
    wanted = {each.type for each in filters}
    positions = [
        each.event.position
        for each in evidence.arrived
        if each.event.position > since and each.event.text("type") in wanted
    ]
    return positions[:count]
