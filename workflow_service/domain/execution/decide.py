"""What follows from a stimulus: the engine's one pure function.

``decide`` knows every rule of the DSL and performs nothing. The shell appends the events, performs the effects, and
feeds the outcomes back; a replay or a repeated delivery of an old stimulus leads to no events at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workflow_service.domain.definition.model import TryTask
from workflow_service.domain.execution import revival
from workflow_service.domain.execution.advance import Advance, Environment
from workflow_service.domain.execution.commands import (
    Accept,
    RecordOutcome,
    Recover,
    Resume,
    Retry,
    Stimulus,
    Suspend,
    Wake,
)
from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.events import (
    Event,
    OutcomeRecorded,
    WorkflowAccepted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowSuspended,
)
from workflow_service.domain.execution.problem import timeout
from workflow_service.domain.execution.schedule import (
    Due,
    Timer,
    next_due,
    performing,
    ready,
    status_of,
)
from workflow_service.domain.execution.state import (
    ROOT,
    Ended,
    Frame,
    HistoryBroken,
    NotStarted,
    Open,
    Performed,
    Performing,
    State,
    Trying,
)
from workflow_service.domain.execution.tasks import KINDS
from workflow_service.domain.execution.tasks.try_ import TRY
from workflow_service.domain.execution.tasks.workflow import WORKFLOW, blank_root

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Definition

_TIMERS_PER_ADVANCE: Final = 1000


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
    advance = Advance(definition, state, environment, KINDS)
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
            _record(advance, stimulus)
        case Wake():
            _wake(advance)
        case Suspend():
            _suspend(advance, stimulus)
        case Resume():
            _resume(advance, stimulus)
        case Retry():
            _retry(advance, stimulus)
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
        )
    )
    _wake(advance)


# ---------------------------------------------------------------- outcomes


def _record(advance: Advance, stimulus: RecordOutcome) -> None:
    state = advance.draft.state
    if not isinstance(state, Open):
        return
    frame = next((f for f in performing(state) if _performs(f, stimulus.effect)), None)
    if frame is None:
        return  # an attempt that was given up, or a repetition of what is known
    if state.suspended_at is not None:
        advance.emit(_outcome_recorded(frame, stimulus.outcome))
    else:
        _use(advance, frame, stimulus.outcome)


def _performs(frame: Frame, number: int) -> bool:
    return isinstance(frame.activity, Performing) and frame.activity.effect.number == number


def _outcome_recorded(frame: Frame, outcome: Outcome) -> OutcomeRecorded:
    match outcome:
        case Succeeded(output):
            return OutcomeRecorded(frame.task, frame.differing_id, output=output)
        case Failed(problem):
            return OutcomeRecorded(frame.task, frame.differing_id, error=problem)


def _use(advance: Advance, frame: Frame, outcome: Outcome) -> None:
    match outcome:
        case Succeeded(output):
            advance.complete(frame.id, output)
        case Failed(problem):
            advance.fault(frame.id, problem)


# ---------------------------------------------------------------- time


def _wake(advance: Advance) -> None:
    """Fire what is due, in the order in which it was due; then go on with what is ready."""
    for _ in range(_TIMERS_PER_ADVANCE):
        state = advance.draft.state
        if not isinstance(state, Open):
            return
        due = next_due(state)
        if due is None or due.at > advance.now:
            break
        _fire(advance, due)
        advance.run()
    if isinstance(advance.draft.state, Open) and advance.opened.suspended_at is None:
        advance.enqueue_ready()


def _fire(advance: Advance, due: Due) -> None:
    match due.timer:
        case Timer.BEGIN:
            WORKFLOW.begin(advance, blank_root(advance.opened), advance.definition)
        case Timer.WORKFLOW:
            problem = timeout("the workflow took longer than its timeout allows")
            root = advance.draft.frame(ROOT)
            WORKFLOW.child_faulted(advance, root, advance.definition, problem.at("/timeout"))
        case Timer.WAIT:
            advance.complete(due.frame, advance.draft.frame(due.frame).input)
        case Timer.TASK:
            problem = timeout("the task took longer than its timeout allows")
            advance.fault(due.frame, problem)
        case Timer.RETRY | Timer.ATTEMPT:
            _fire_attempt(advance, due)


def _fire_attempt(advance: Advance, due: Due) -> None:
    frame = advance.draft.frame(due.frame)
    task = advance.task_of(frame)
    if not isinstance(task, TryTask):
        raise HistoryBroken(f"{frame.id} is no try, and has a timer of one")
    if due.timer is Timer.RETRY:
        TRY.try_again(advance, frame, task)
        return
    frame.doing(Trying)
    problem = timeout("the attempt took longer than the retry policy allows").at(frame.task)
    advance.cancel_inside(frame.id)
    TRY.child_faulted(advance, frame, task, problem)


# ---------------------------------------------------------------- people


def _suspend(advance: Advance, command: Suspend) -> None:
    opened = _open_or_refuse(advance, "suspended")
    if opened.suspended_at is not None:
        raise CommandRefused("suspended", "suspended")
    advance.emit(WorkflowSuspended(command.reason, command.by))


def _resume(advance: Advance, command: Resume) -> None:
    opened = _open_or_refuse(advance, "resumed")
    if opened.suspended_at is None:
        raise CommandRefused("resumed", status_of(opened))
    advance.emit(WorkflowResumed(command.reason, command.by))
    for frame in list(advance.draft.frames.values()):
        if isinstance(frame.activity, Performed) and frame.id in advance.draft.frames:
            _use(advance, frame, frame.activity.outcome)
            if advance.ended:
                return
    _wake(advance)


def _open_or_refuse(advance: Advance, verb: str) -> Open:
    state = advance.draft.state
    if isinstance(state, Open):
        return state
    raise CommandRefused(verb, status_of(state))


def _retry(advance: Advance, command: Retry) -> None:
    state = advance.draft.state
    if not isinstance(state, Ended) or state.stood is None:
        raise CommandRefused("retried", status_of(state))
    position = revival.position(state.stood, command, advance.now)
    advance.emit(WorkflowRetried(position, command.task, command.reason, command.by))
    _take_up(advance)


def _take_up(advance: Advance) -> None:
    """Go on at a position: with its created tasks, or with the end of the workflow when only that went wrong."""
    opened = advance.opened
    if opened.started_at is not None and set(opened.frames) == {ROOT}:
        WORKFLOW.list_ended(advance, opened.frames[ROOT], advance.definition)
    _wake(advance)


def _recover(advance: Advance, command: Recover) -> None:
    state = advance.draft.state
    if not isinstance(state, Open):
        return
    repeated = [frame.id for frame in performing(state)]
    advance.emit(WorkflowRecovered(command.owner, repeated))
    _wake(advance)
