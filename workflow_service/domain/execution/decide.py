"""What follows from a stimulus: the engine's one pure function.

``decide`` knows every rule of the DSL and performs nothing. The shell appends the events, performs the effects, and
feeds the outcomes back; a replay or a repeated delivery of an old stimulus leads to no events at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workflow_service.domain.execution import arrivals, interventions
from workflow_service.domain.execution.advance import Advance
from workflow_service.domain.execution.commands import (
    Accept,
    Cancel,
    ReceiveEvent,
    RecordOutcome,
    Recover,
    Resume,
    Retry,
    Stimulus,
    Suspend,
    Wake,
)
from workflow_service.domain.execution.effects import Effect
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.events import Event
from workflow_service.domain.execution.schedule import (
    performing,
    ready,
)
from workflow_service.domain.execution.state import (
    NotStarted,
    Open,
    Performing,
    State,
)
from workflow_service.domain.execution.tasks import KINDS
from workflow_service.domain.execution.tasks.extending import EXTENSIONS
from workflow_service.domain.execution.waking import wake
from workflow_service.domain.execution.workflow_events import WorkflowAccepted, WorkflowRecovered

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Definition


@dataclass(frozen=True, slots=True)
class Decision:
    """What one stimulus leads to."""

    events: tuple[Event, ...]
    state: State
    """After the events."""
    effects: tuple[Effect, ...]
    """To be performed once the events are durable, and not before."""
    more: bool
    """Whether there is more to do at once: the advance stopped early to keep commits small."""
    awaiting: bool = False
    """Whether the execution waits for the outcome of an effect, an old or a new one."""


def decide(
    definition: Definition, state: State, stimulus: Stimulus, environment: Environment
) -> Decision:
    """Return the events, effects and state that *stimulus* leads to in *state*.

    Raises:
        CommandRefused: a person asked for what this phase does not allow.
        HistoryBroken: the state does not fit the definition.
        NeedsWorker: an expression may take long, and ``environment`` does not allow to block; deciding again where it
            does allow it is sound, because nothing has happened yet.
    """
    advance = Advance(definition, state, environment, KINDS, EXTENSIONS)
    asked_before = state.effects if isinstance(state, Open) else 0
    _react(advance, stimulus)
    advance.run()
    return _decision(advance, stimulus, asked_before)


def _decision(advance: Advance, stimulus: Stimulus, asked_before: int) -> Decision:
    state = advance.draft.state
    events = tuple(advance.events)
    if not isinstance(state, Open):
        return Decision(events, state, (), more=False)
    everything = isinstance(stimulus, Recover)
    awaited = [
        frame.activity.effect
        for frame in performing(state)
        if isinstance(frame.activity, Performing)
    ]
    effects = tuple(effect for effect in awaited if everything or effect.number > asked_before)
    return Decision(events, state, effects, ready(state), bool(awaited))


def _react(advance: Advance, stimulus: Stimulus) -> None:
    match stimulus:
        case Accept():
            _accept(advance, stimulus)
        case RecordOutcome():
            arrivals.record(advance, stimulus)
        case ReceiveEvent():
            arrivals.receive(advance, stimulus)
        case Wake():
            wake(advance)
        case Suspend():
            interventions.suspend(advance, stimulus)
        case Resume():
            interventions.resume(advance, stimulus)
        case Cancel():
            interventions.cancel(advance, stimulus)
        case Retry():
            interventions.retry(advance, stimulus)
        case Recover():
            _recover(advance, stimulus)


def _accept(advance: Advance, command: Accept) -> None:
    if not isinstance(advance.draft.state, NotStarted):
        return
    definition = advance.definition
    advance.emit(
        WorkflowAccepted(
            execution=command.execution,
            namespace=definition.namespace,
            name=definition.name,
            version=definition.version,
            digest=definition.digest,
            tenant=command.tenant,
            owner=command.owner,
            input=command.input,
            priority=command.priority,
            tags=command.tags,
            run_at=command.run_at,
            origin=command.origin,
            trace=command.trace,
        )
    )
    if not command.left:
        wake(advance)


def _recover(advance: Advance, command: Recover) -> None:
    state = advance.draft.state
    if not isinstance(state, Open):
        return
    repeated = [frame.id for frame in performing(state)]
    advance.emit(WorkflowRecovered(command.owner, repeated))
    wake(advance)
