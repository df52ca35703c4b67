"""How facts change the state: the only place where it changes.

``evolve`` and ``fold`` are pure. Inside, a :class:`Draft` applies many events to one private copy, so that an advance of
a hundred events copies the frames once and not a hundred times.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.execution.effects import Failed, Outcome, Succeeded
from workflow_service.domain.execution.events import (
    ErrorCaught,
    Event,
    EventEmitted,
    IterationStarted,
    OutcomeRecorded,
    RetryScheduled,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskEvent,
    TaskFact,
    TaskFaulted,
    TaskRetried,
    TaskSkipped,
    TaskStarted,
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFact,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowStarted,
    WorkflowSuspended,
)
from workflow_service.domain.execution.state import (
    ROOT,
    BackingOff,
    Created,
    Doing,
    Ended,
    Faulted,
    Forking,
    Frame,
    Halted,
    Handling,
    HistoryBroken,
    LiveActivity,
    Looping,
    NotStarted,
    Open,
    Performed,
    Performing,
    Sleeping,
    State,
    Trying,
)

if TYPE_CHECKING:
    from workflow_service.domain.expressions import JsonValue

_CREATED = Created()
_LIST_OWNERS = (Doing, Looping, Trying, Handling)
_LEAVES = (Created, Sleeping, Performing, Performed)


def evolve(state: State, event: Event, at: datetime) -> State:
    """Return the state after *event*, which happened *at*.

    Raises:
        HistoryBroken: *event* cannot follow on *state*.
    """
    draft = Draft(state)
    draft.apply(event, at)
    return draft.state


def fold(state: State, events: Iterable[tuple[Event, datetime]]) -> State:
    """Return the state after *events*, each with the time it happened at."""
    draft = Draft(state)
    for event, at in events:
        draft.apply(event, at)
    return draft.state


class Draft:
    """A private copy of a state to which events are applied."""

    __slots__ = ("_open", "_owned", "frames", "state")

    def __init__(self, state: State) -> None:
        self.state: State = state
        self._owned = False
        self.frames: dict[str, Frame] = state.frames if isinstance(state, Open) else {}

    @property
    def open(self) -> Open:
        """The state, of which it is known that it is open.

        Raises:
            HistoryBroken: it is not.
        """
        if isinstance(self.state, Open):
            return self.state
        raise HistoryBroken(f"an execution that is {type(self.state).__name__} cannot go on")

    # ------------------------------------------------------------ events of the workflow

    def apply(self, event: Event, at: datetime) -> None:
        """Change the state as *event* says.

        Raises:
            HistoryBroken: *event* cannot follow.
        """
        if isinstance(event, TaskEvent):
            self._apply_to_task(event, at)
        else:
            self._apply_to_workflow(event, at)

    def _apply_to_task(self, event: TaskFact, at: datetime) -> None:  # noqa: C901 - a table, a row a fact
        match event:
            case TaskCreated():
                self._task_created(event)
            case TaskStarted():
                self._task_started(event, at)
            case TaskCompleted():
                self._task_completed(event)
            case TaskSkipped():
                self._leave(self.frame(event.frame_id))
            case IterationStarted():
                self._iteration_started(event)
            case TaskFaulted():
                self._set(event.frame_id, activity=Faulted(event.error, self._was(event.frame_id)))
            case TaskCancelled():
                self._set(event.frame_id, activity=Halted(self._was(event.frame_id)))
            case OutcomeRecorded():
                self._set(event.frame_id, activity=Performed(outcome_of(event)))
            case ErrorCaught():
                self._error_caught(event)
            case RetryScheduled():
                self._retry_scheduled(event)
            case TaskRetried():
                self._task_retried(event)
            case EventEmitted():
                pass

    def _apply_to_workflow(self, event: WorkflowFact, at: datetime) -> None:
        match event:
            case WorkflowRecovered():
                pass
            case WorkflowAccepted():
                self._accepted(event, at)
            case WorkflowStarted():
                self._started(event, at)
            case WorkflowSuspended():
                self.state = replace(self.open, suspended_at=at)
            case WorkflowResumed():
                self.state = replace(self.open, suspended_at=None)
            case WorkflowRetried():
                self.state = event.position
                self.frames, self._owned = event.position.frames, False
            case WorkflowCancelled():
                self._end(Ended("cancelled", at))
            case WorkflowFaulted():
                stood = self.open
                self._end(Ended("faulted", at, stood=stood, problem=event.error))
            case WorkflowCompleted():
                self._end(Ended("completed", at, output=event.output))

    def _accepted(self, event: WorkflowAccepted, at: datetime) -> None:
        if not isinstance(self.state, NotStarted):
            raise HistoryBroken("an execution is accepted once")
        self.state = Open(
            execution=event.execution,
            namespace=event.namespace,
            name=event.name,
            version=event.version,
            digest=event.digest,
            tenant=event.tenant,
            owner=event.owner,
            input=event.input,
            accepted_at=at,
            priority=event.priority,
            run_at=event.run_at,
        )
        self.frames = self.state.frames

    def _started(self, event: WorkflowStarted, at: datetime) -> None:
        opened = self.open
        data = opened.input if event.input is UNSET else event.input
        root = Frame(ROOT, "", "", opened.input, data, Doing(), data=data, started_at=at)
        self.frames, self._owned = {ROOT: root}, True
        self.state = replace(
            opened, started_at=at, deadline=event.deadline, context=data, frames=self.frames
        )

    def _end(self, ended: Ended) -> None:
        self.state = ended
        self.frames, self._owned = {}, False

    # ------------------------------------------------------------ events of tasks

    def _task_created(self, event: TaskCreated) -> None:
        parent = self.frame(event.parent)
        activity = parent.activity
        if isinstance(activity, _LIST_OWNERS):
            moved = replace(activity, index=event.index, round=event.round)
            self._put(replace(parent, activity=moved))
        given = event.input
        raw: JsonValue = parent.data if given is UNSET else given
        self._put(
            Frame(
                event.frame_id,
                event.task,
                event.parent,
                raw,
                raw,
                _CREATED,
                branch=event.branch,
                variables=parent.variables if given is UNSET else {},
            )
        )

    def _task_started(self, event: TaskStarted, at: datetime) -> None:
        frame = self.frame(event.frame_id)
        data = frame.raw_input if event.input is UNSET else event.input
        activity = frame.activity if event.activity is None else event.activity
        if isinstance(activity, Performing):
            self._count_effect(activity.effect.number)
        self._put(
            replace(
                frame,
                input=data,
                data=data,
                activity=activity,
                started_at=at,
                deadline=event.deadline,
            )
        )

    def _count_effect(self, number: int) -> None:
        opened = self.open
        if number > opened.effects:
            self.state = replace(opened, effects=number)

    def _task_completed(self, event: TaskCompleted) -> None:
        frame = self.frame(event.frame_id)
        if not isinstance(frame.activity, _LEAVES):
            self.drop_inside(frame.id)
        if event.context is not UNSET:
            self.state = replace(self.open, context=event.context)
        parent = self.frame(frame.parent)
        if isinstance(parent.activity, Forking):
            outputs = {**parent.activity.outputs, frame.branch: event.output}
            self._put(replace(parent, activity=replace(parent.activity, outputs=outputs)))
        else:
            self._put(replace(parent, data=event.output))
        del self._own()[frame.id]

    def _leave(self, frame: Frame) -> None:
        """A skipped task: its list goes on with the data that it had; a branch gives back what it got."""
        parent = self.frame(frame.parent)
        if isinstance(parent.activity, Forking):
            outputs = {**parent.activity.outputs, frame.branch: frame.raw_input}
            self._put(replace(parent, activity=replace(parent.activity, outputs=outputs)))
        del self._own()[frame.id]

    def _iteration_started(self, event: IterationStarted) -> None:
        frame = self.frame(event.frame_id)
        if not isinstance(frame.activity, Looping):
            raise HistoryBroken(f"{frame.id} is no loop")
        item = frame.activity.items[event.iteration]
        moved = replace(frame.activity, iteration=event.iteration, index=-1, round=0)
        variables = {**frame.variables, event.each: item, event.at: event.iteration}
        self._put(replace(frame, activity=moved, variables=variables))

    def _error_caught(self, event: ErrorCaught) -> None:
        frame = self.frame(event.frame_id)
        self.drop_inside(frame.id)
        if event.variable:
            variables = {**frame.variables, event.variable: event.error.as_json()}
            handling = Handling(event.error)
            frame = replace(frame, activity=handling, variables=variables)
        self._put(replace(frame, data=frame.input))

    def _retry_scheduled(self, event: RetryScheduled) -> None:
        waiting = BackingOff(event.until, event.retries, event.first_fault_at, event.error)
        self._set(event.frame_id, activity=waiting)

    def _task_retried(self, event: TaskRetried) -> None:
        frame = self.frame(event.frame_id)
        if not isinstance(frame.activity, BackingOff):
            raise HistoryBroken(f"{frame.id} is not between two attempts")
        again = Trying(event.retries, frame.activity.first_fault_at, event.deadline)
        self._put(replace(frame, activity=again, data=frame.input))

    # ------------------------------------------------------------ frames

    def frame(self, frame_id: str) -> Frame:
        """Return a frame.

        Raises:
            HistoryBroken: there is none with that id.
        """
        try:
            return self.frames[frame_id]
        except KeyError:
            raise HistoryBroken(f"no task is under way at {frame_id!r}") from None

    def inside(self, frame_id: str) -> list[Frame]:
        """Return the frames below one, parents first."""
        if len(self.frames) <= 1:
            return []
        found = [frame for frame in self.frames.values() if frame.parent == frame_id and frame.id]
        for frame in found:  # grows while it is walked
            found.extend(
                below for below in self.frames.values() if below.parent == frame.id and below.id
            )
        return found

    def drop_inside(self, frame_id: str) -> None:
        """Forget all frames below one."""
        for frame in self.inside(frame_id):
            del self._own()[frame.id]

    def _was(self, frame_id: str) -> LiveActivity:
        activity = self.frame(frame_id).activity
        return activity.was if isinstance(activity, Faulted | Halted) else activity

    def _set(self, frame_id: str, **changes: object) -> None:
        self._put(replace(self.frame(frame_id), **changes))

    def _put(self, frame: Frame) -> None:
        self._own()[frame.id] = frame

    def _own(self) -> dict[str, Frame]:
        if not self._owned:
            opened = self.open
            self.frames = dict(self.frames)
            self.state = replace(opened, frames=self.frames)
            self._owned = True
        return self.frames


def outcome_of(event: OutcomeRecorded) -> Outcome:
    """Return the outcome that an event recorded."""
    if event.error is not None:
        return Failed(event.error)
    return Succeeded(None if event.output is UNSET else event.output)
