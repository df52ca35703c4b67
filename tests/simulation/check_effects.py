"""Effects: never before their commit, never again once their outcome is recorded, always with the same key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.simulation.evidence import Committed, Evidence, Knew, Performed
from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.effects import Effect, Failed, HttpCall, Outcome
from workflow_service.domain.execution.events import (
    OutcomeRecorded,
    TaskCompleted,
    TaskEvent,
    TaskFaulted,
    TaskRetried,
    TaskStarted,
)
from workflow_service.domain.execution.evolve import apply
from workflow_service.domain.execution.problem import ERRORS
from workflow_service.domain.execution.state import (
    Frame,
    HistoryBroken,
    NotStarted,
    Open,
    Performing,
    State,
)
from workflow_service.domain.execution.state import (
    Performed as OutcomeKept,
)
from workflow_service.domain.execution.workflow_events import WorkflowRetried


def effect_findings(evidence: Evidence) -> Iterator[str]:
    """Yield all that is wrong with effects."""
    check = _EffectCheck(evidence)
    for position, entry in enumerate(evidence.entries):
        match entry:
            case Committed():
                yield from check.committed(entry, position)
            case Knew():
                check.knew(entry)
            case Performed():
                yield from check.performed(entry)
            case _:
                pass


@dataclass(slots=True)
class _Execution:
    state: State = field(default_factory=NotStarted)
    awaited: list[tuple[int, dict[int, Effect]]] = field(default_factory=list)
    """After each commit: its position in the evidence, and the effects awaited from then on."""
    effects: dict[int, Effect] = field(default_factory=dict)
    """By number, as the history has them."""
    generation: int = 0
    """How many retries there have been: each may ask for the same things again."""
    keys: dict[str, tuple[str, str, int, int]] = field(default_factory=dict)
    """Position, address, number and generation that a key was last used in."""
    performed: set[int] = field(default_factory=set)
    kept: dict[str, int] = field(default_factory=dict)
    """Numbers of the effects whose outcome was recorded during a suspension, by frame."""
    broken: bool = False


class _EffectCheck:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._executions: dict[str, _Execution] = {}
        self._known: dict[tuple[str, str], int] = {}

    def knew(self, entry: Knew) -> None:
        place = (entry.node, entry.execution)
        self._known[place] = max(entry.position, self._known.get(place, 0))

    # ------------------------------------------------------------ performing

    def performed(self, entry: Performed) -> Iterator[str]:
        found = self._executions.setdefault(entry.execution, _Execution())
        effect = entry.effect
        found.performed.add(effect.number)
        position = self._known.get((entry.node, entry.execution))
        if position is None:
            yield f"{entry} before it knew of any commit"
            return
        awaited: dict[int, Effect] = {}
        for at, effects in found.awaited:
            if at < position:
                awaited = effects
        if effect.number not in awaited:
            word = "after its outcome was recorded" if effect.number in found.effects else "unasked"
            yield f"{entry} {word}"
        elif not _is_same(awaited[effect.number], effect):
            yield f"{entry} differently than the history has it"

    # ------------------------------------------------------------ asking, and recording

    def committed(self, entry: Committed, position: int) -> Iterator[str]:
        found = self._executions.setdefault(entry.commit.execution, _Execution())
        draft = Draft(found.state)
        if found.broken:
            return
        try:
            for event in entry.commit.events:
                if isinstance(event, TaskRetried | WorkflowRetried):
                    found.generation += 1
                if isinstance(event, TaskEvent):
                    yield from self._asked(entry, found, event)
                    yield from self._recorded(entry, found, event, draft.state)
                apply(draft, event, entry.commit.at)
        except HistoryBroken:
            found.broken = True  # the check of histories says so
            return
        found.state = draft.state
        found.awaited.append((position, _awaited(found.state)))

    def _asked(self, entry: Committed, found: _Execution, event: TaskEvent) -> Iterator[str]:
        if not isinstance(event, TaskStarted) or not isinstance(event.activity, Performing):
            return
        effect = event.activity.effect
        if effect.number in found.effects:
            yield f"{entry.commit.execution} asks for number {effect.number} twice"
        found.effects[effect.number] = effect
        now = (event.frame_id, _address(effect), effect.number, found.generation)
        before = found.keys.get(effect.key)
        found.keys[effect.key] = now
        if before is not None and before[:2] != now[:2]:
            yield f"the key {effect.key} was used for {before[:2]} and for {now[:2]}"
        if before is not None and before[3] == now[3]:
            yield f"{event.frame_id} asked twice under the key {effect.key} without a retry"
        others = [key for key, use in found.keys.items() if use[0] == event.frame_id]
        if len(others) > 1:
            yield f"{event.frame_id} used the keys {others}"

    def _recorded(
        self, entry: Committed, found: _Execution, event: TaskEvent, state: State
    ) -> Iterator[str]:
        frame = state.frames.get(event.frame_id) if isinstance(state, Open) else None
        if frame is None or not isinstance(event, TaskCompleted | TaskFaulted | OutcomeRecorded):
            return
        number = self._number(found, frame)
        if number is None or (isinstance(event, TaskFaulted) and _is_timeout(event)):
            return
        if isinstance(event, OutcomeRecorded):
            found.kept[event.frame_id] = number
        outcome = self._evidence.outcomes.get((entry.commit.execution, number))
        if number not in found.performed or outcome is None:
            yield f"{event.frame_id} got an outcome of number {number}, which nobody performed"
            return
        if isinstance(event, TaskCompleted):
            yield from self._same_output(entry, event, number, outcome)
        elif isinstance(outcome, Failed) and event.error is not None:
            same = event.error.status == outcome.problem.status
            yield from () if same else (f"{event.frame_id} has not the error of number {number}",)

    def _same_output(
        self, entry: Committed, event: TaskCompleted, number: int, outcome: Outcome
    ) -> Iterator[str]:
        if isinstance(outcome, Failed):
            yield f"{event.frame_id} completed, and number {number} had failed"
            return
        digest = entry.commit.summary.digest
        task = self._evidence.workflows[digest].definition.tasks[event.task]
        if task.data_flow.output_as is None and event.output != outcome.output:
            yield f"{event.frame_id} has an output that is not the one of number {number}"

    def _number(self, found: _Execution, frame: Frame) -> int | None:
        if isinstance(frame.activity, Performing):
            return frame.activity.effect.number
        if isinstance(frame.activity, OutcomeKept):
            return found.kept.get(frame.id)
        return None


def _awaited(state: State) -> dict[int, Effect]:
    if not isinstance(state, Open):
        return {}
    activities = (frame.activity for frame in state.frames.values())
    return {a.effect.number: a.effect for a in activities if isinstance(a, Performing)}


def _address(effect: Effect) -> str:
    call = effect.call
    return call.uri if isinstance(call, HttpCall) else type(call).__name__


def _is_timeout(event: TaskFaulted) -> bool:
    return event.error.type == ERRORS + "timeout"


def _is_same(asked: Effect, performed: Effect) -> bool:
    """Whether what is performed is what was asked for; whose it is, the shell adds."""
    return (asked.number, asked.key, asked.call) == (
        performed.number,
        performed.key,
        performed.call,
    )
