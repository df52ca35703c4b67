"""Every history on its own: gapless, folding, ending once, and agreeing with what was stored beside it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chassis.errors import ServiceError
from tests.simulation.check_sagas import Sagas
from tests.simulation.evidence import Committed, Evidence
from tests.simulation.lifecycles import Lifecycles
from workflow_service.application.ports import Summary
from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.events import Event, TaskCompleted, TaskRetried
from workflow_service.domain.execution.evolve import apply
from workflow_service.domain.execution.schedule import status_of, timers
from workflow_service.domain.execution.state import (
    BackingOff,
    Created,
    Ended,
    HistoryBroken,
    NotStarted,
    Open,
    Performing,
    Sleeping,
    State,
)
from workflow_service.domain.execution.workflow_events import (
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
)

_LATEST = timedelta(seconds=65)
"""How late a timer may fire when all is calm: the longest that an execution is left alone after failures, and a look."""
_SETTLED = 10.0


def history_findings(evidence: Evidence, execution: str) -> list[str]:
    """Return all that is wrong with the history of *execution*."""
    return [f"{execution}: {finding}" for finding in _HistoryCheck(evidence, execution).findings()]


class _HistoryCheck:
    def __init__(self, evidence: Evidence, execution: str) -> None:
        self._evidence = evidence
        self._execution = execution
        self._row = evidence.rows[execution]
        self._draft = Draft(NotStarted())
        self._sequence = 0

    def findings(self) -> Iterator[str]:
        workflow = self._evidence.workflows[self._row.summary.digest]
        lifecycles, sagas = Lifecycles(workflow.definition), Sagas(workflow.definition)
        try:
            for committed in self._evidence.of(self._execution):
                yield from self._numbered(committed)
                for event in committed.commit.events:
                    yield from self._timely(committed, event)
                    yield from lifecycles.after(event, self._draft.state)
                    yield from sagas.after(event)
                    apply(self._draft, event, committed.commit.at)
                self._draft = Draft(self._draft.state)
                yield from self._agreeing(committed)
        except HistoryBroken as broken:
            yield f"the history does not fold: {broken}"
            return
        yield from self._stored()

    def _numbered(self, committed: Committed) -> Iterator[str]:
        commit = committed.commit
        if commit.expected != self._sequence or committed.sequence_before != self._sequence:
            yield (
                f"{committed.node} appended at {committed.sequence_before}, "
                f"knowing {commit.expected}, to a history of {self._sequence}"
            )
        if commit.expected and commit.epoch < committed.epoch_before:
            yield (
                f"{committed.node} appended with epoch {commit.epoch} "
                f"when the owner had {committed.epoch_before}"
            )
        self._sequence += len(commit.events)

    # ------------------------------------------------------------ time

    def _timely(self, committed: Committed, event: Event) -> Iterator[str]:
        if not isinstance(event, TaskCompleted | TaskRetried) or not isinstance(
            self._draft.state, Open
        ):
            return
        frame = self._draft.state.frames.get(event.frame_id)
        if frame is None or not isinstance(frame.activity, Sleeping | BackingOff):
            return
        until = frame.activity.until
        if committed.commit.at < until:
            yield f"{event.frame_id} woke {until - committed.commit.at} early"
        yield from self._not_forgotten(committed, until - committed.commit.at, event.frame_id)

    def _not_forgotten(self, committed: Committed, ahead: timedelta, frame: str) -> Iterator[str]:
        """When all is calm, nothing sleeps on when its time has come."""
        calm = self._evidence.calm_since
        since = committed.time - calm - _SETTLED
        late = min(-ahead, timedelta(seconds=since))
        taken_up = any(
            isinstance(event, WorkflowResumed | WorkflowRetried | WorkflowRecovered)
            for event in committed.commit.events
        )
        if late > _LATEST and not taken_up:
            yield f"{frame} woke {late} late"

    # ------------------------------------------------------------ what is stored beside the events

    def _agreeing(self, committed: Committed) -> Iterator[str]:
        commit, state = committed.commit, self._draft.state
        yield from _agrees(commit.summary, state)
        if commit.snapshot is not None and commit.snapshot != state:
            yield f"the snapshot at {self._sequence} is not what the events say"
        if _is_busy(state) and not commit.busy:
            yield f"work is under way after {self._sequence}, and a new owner would not resume it"
        earliest = _earliest(state)
        if earliest is not None and (
            commit.wake_at is None or commit.wake_at > max(earliest, commit.at)
        ):
            yield f"after {self._sequence} it is due at {earliest}, and wakes at {commit.wake_at}"

    def _stored(self) -> Iterator[str]:
        try:
            stored = self._row.recorded()
        except ServiceError as unreadable:
            yield f"the history cannot be read: {unreadable.message}"
            return
        if [recorded.sequence for recorded in stored] != list(range(1, self._sequence + 1)):
            yield "the history has holes, or has lost commits"
        if [recorded.event for recorded in stored] != [
            event
            for committed in self._evidence.of(self._execution)
            for event in committed.commit.events
        ]:
            yield "the history is not what was committed"
        yield from _agrees(self._row.summary, self._draft.state)


def _earliest(state: State) -> datetime | None:
    """Return when *state* must wake up by itself."""
    if not isinstance(state, Open) or state.suspended_at is not None:
        return None
    return min((due.at for due in timers(state)), default=None)


def _is_busy(state: State) -> bool:
    """Say whether work of it is under way in some process."""
    if not isinstance(state, Open):
        return False
    activities = [frame.activity for frame in state.frames.values()]
    if any(isinstance(activity, Performing) for activity in activities):
        return True
    created = any(isinstance(activity, Created) for activity in activities)
    return created and state.suspended_at is None


def _agrees(summary: Summary, state: State) -> Iterator[str]:
    if summary.status != status_of(state):
        yield f"the summary says {summary.status}, the history {status_of(state)}"
    if isinstance(state, Ended):
        if summary.ended_at is None:
            yield "it has ended, and the summary does not know"
        if (summary.output, summary.problem) != (state.output, state.problem):
            yield "the summary has another result than the history"
    elif summary.ended_at is not None:
        yield "the summary has ended, the history has not"
