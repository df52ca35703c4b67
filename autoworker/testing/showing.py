"""What a rehearsal shows, in the words of the public history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from autoworker.testing.observed import Fact, Observed, fact_of
from autoworker.testing.rehearsal import EXECUTION, NOON, TENANT
from workflow_service.application.projections.announcements import Announced, announcements
from workflow_service.application.projections.history import About, history_item
from workflow_service.domain.execution.events import TaskCompleted
from workflow_service.domain.execution.schedule import status_of
from workflow_service.domain.execution.state import Ended
from workflow_service.domain.execution.workflow_events import WorkflowAccepted, WorkflowStarted
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_markers import masked_json

if TYPE_CHECKING:
    from autoworker.testing.rehearsal import Rehearsal


def facts_of(rehearsal: Rehearsal, after: int = 0) -> list[Fact]:
    """The facts recorded so far, without the first *after*."""
    about = _about(rehearsal)
    items = [history_item(about, each) for each in rehearsal.recorded[after:]]
    return [fact_of(item.type, msgspec.to_builtins(item.data)) for item in items]


def _about(rehearsal: Rehearsal) -> About:
    definition = rehearsal.definition
    return About(EXECUTION, definition.namespace, definition.name, definition.version)


def observed(rehearsal: Rehearsal, calls: Sequence[dict[str, JsonValue]]) -> Observed:
    """Everything that came of it, as the public sees it; *calls* is what was asked of the world."""
    state = rehearsal.state
    ended = state if isinstance(state, Ended) else None
    problem = None if ended is None else ended.problem
    told = Observed(
        status=status_of(state),
        output=msgspec.UNSET if ended is None else ended.output,
        error=None if problem is None else problem.as_json(),
        facts=facts_of(rehearsal),
        calls=calls,
        seconds=rehearsal.seconds,
        announced=list(_announced(rehearsal)),
        context=_context(rehearsal),
    )
    return msgspec.json.decode(masked_json(msgspec.json.encode(told)), type=Observed)


def _announced(rehearsal: Rehearsal) -> Iterator[dict[str, JsonValue]]:
    """What the relay of an engine would put on the bus."""
    who = Announced(_about(rehearsal), TENANT, "author", NOON)
    for recorded in rehearsal.recorded:
        for event in announcements(who, recorded, lambda _: True):
            data: JsonValue = msgspec.json.decode(event.data) if event.data else None
            yield {"type": event.type, "data": data}


def _context(rehearsal: Rehearsal) -> JsonValue | msgspec.UnsetType:
    """What `$context` was at last: what was exported last, or what the workflow began with."""
    context: JsonValue | msgspec.UnsetType = msgspec.UNSET
    for recorded in rehearsal.recorded:
        match recorded.event:
            case WorkflowAccepted(input=given):
                context = given
            case WorkflowStarted(input=given) if given is not msgspec.UNSET:
                context = given
            case TaskCompleted(context=exported) if exported is not msgspec.UNSET:
                context = exported
            case _:
                pass
    return context
