"""The life of every task and of the workflow as the facts tell it: an oracle that knows nothing of the engine's rules.

A task is created, begun, and ends once: completed, skipped, faulted or cancelled. Nothing happens to what has ended, or
inside it, until it is created anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from workflow_service.domain.definition.compensation import compensation_of
from workflow_service.domain.definition.model import Definition, ForkTask
from workflow_service.domain.execution.events import (
    ErrorCaught,
    Event,
    EventReceived,
    OutcomeRecorded,
    TaskCancelled,
    TaskCompensated,
    TaskCompensating,
    TaskCompleted,
    TaskCreated,
    TaskEvent,
    TaskFact,
    TaskFaulted,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.state import (
    ROOT,
    Created,
    Doing,
    Ended,
    Faulted,
    Halted,
    Open,
    State,
)
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    WorkflowAccepted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowFact,
    WorkflowFaulted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowSuspended,
)

Phase: TypeAlias = Literal["created", "begun", "over"]
_WHILE_SUSPENDED = (
    OutcomeRecorded,
    EventReceived,
    TaskCancelled,
    CompensationStarted,
    WorkflowRecovered,
    WorkflowResumed,
    WorkflowCancelled,
)
_ENDS = (WorkflowCompleted, WorkflowFaulted, WorkflowCancelled)


class Lifecycles:
    """Follows one history."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._phases: dict[str, Phase] = {}
        self._parents: dict[str, str] = {}
        self._references: dict[str, str] = {}
        self._decided: dict[str, str] = {}
        """Competing forks that a branch has won, and which."""
        self._suspended = False
        self._ended: type[Event] | None = None
        self._accepted = False

    def after(self, event: Event, before: State) -> Iterator[str]:
        """Follow *event*, which happened in the state *before*, and yield what is wrong with it."""
        name = type(event).__name__
        if self._ended is not None and not (
            isinstance(event, WorkflowRetried) and self._ended is WorkflowFaulted
        ):
            yield f"{name} after the end"
        if self._suspended and not isinstance(event, _WHILE_SUSPENDED):
            yield f"{name} while suspended"
        if isinstance(event, TaskCompensating | TaskCompensated):
            yield from self._after_undoing(event)
        elif isinstance(event, TaskEvent):
            yield from self._race(event)
            yield from self._after_task(event)
        else:
            yield from self._after_workflow(event, before)

    # ------------------------------------------------------------ the workflow

    def _after_workflow(self, event: WorkflowFact, before: State) -> Iterator[str]:
        match event:
            case WorkflowAccepted():
                yield from ("accepted twice",) if self._accepted else ()
                self._accepted = True
            case WorkflowSuspended():
                self._suspended = True
            case WorkflowResumed():
                if not self._suspended:
                    yield "resumed without being suspended"
                self._suspended = False
            case WorkflowRetried():
                yield from self._retried(event, before)
            case CompensationStarted():
                living = [name for name, phase in self._phases.items() if phase != "over"]
                yield from (f"undone while {living} were under way",) if living else ()
                self._phases, self._parents, self._suspended = {}, {}, False
            case WorkflowCompleted() | WorkflowFaulted() | WorkflowCancelled():
                yield from self._end(event)
            case _:
                pass

    def _end(self, event: WorkflowFact) -> Iterator[str]:
        living = [name for name, phase in self._phases.items() if phase != "over"]
        if living and not isinstance(event, WorkflowCancelled):
            yield f"ended while {living} were under way"
        self._ended, self._suspended = type(event), False

    def _retried(self, event: WorkflowRetried, before: State) -> Iterator[str]:
        """Take up the position; a plain retry must not forget what had been done, nor undo what was not at fault."""
        self._ended = None
        frames = event.position.frames
        stood = before.stood if isinstance(before, Ended) else None
        plain = stood is not None and not event.task and _entered(stood)
        plain = plain and stood is not None and stood.compensating is None
        if plain and stood is not None and set(frames) != set(stood.frames):
            yield "the retry has forgotten where the execution stood"
        self._phases = {
            name: "created" if isinstance(frame.activity, Created) else "begun"
            for name, frame in frames.items()
            if name != ROOT
        }
        if any(isinstance(frame.activity, Faulted | Halted) for frame in frames.values()):
            yield "the retry goes on in a task that is over"
        self._parents = {name: frame.parent for name, frame in frames.items() if name != ROOT}
        self._references = {name: frame.task for name, frame in frames.items()}
        self._decided = {}

    # ------------------------------------------------------------ tasks

    def _after_task(self, event: TaskFact) -> Iterator[str]:
        frame = event.frame_id
        match event:
            case TaskCreated():
                yield from self._created(event)
            case TaskSkipped():
                yield from self._in(event, "created")
                self._forget(frame)
            case TaskStarted():
                yield from self._in(event, "created")
                self._phases[frame] = "begun"
            case TaskCompleted():
                yield from self._in(event, "begun")
                yield from self._quiet_inside(event)
                self._decide(frame)
                self._forget(frame)
            case TaskFaulted():
                yield from self._in(event, "begun")
                yield from self._quiet_inside(event)
                self._phases[frame] = "over"
            case TaskCancelled():
                yield from self._in(event, "created", "begun")
                self._phases[frame] = "over"
            case ErrorCaught():
                yield from self._in(event, "begun")
                yield from self._quiet_inside(event)
                self._forget_inside(frame)
            case _:
                yield from self._in(event, "begun")

    def _after_undoing(self, event: TaskCompensating | TaskCompensated) -> Iterator[str]:
        frame = compensation_of(event.frame_id)
        if isinstance(event, TaskCompensating):
            yield from self._nowhere(frame)
            self._phases[frame], self._parents[frame] = "begun", ROOT
            return
        if self._phases.get(frame) != "begun":
            yield f"{event.frame_id} was undone without having begun to be"
        self._forget(frame)

    def _nowhere(self, frame: str) -> Iterator[str]:
        if self._phases.get(frame, "over") != "over":
            yield f"{frame} began while it was under way"

    def _created(self, event: TaskCreated) -> Iterator[str]:
        frame = event.frame_id
        yield from self._nowhere(frame)
        if event.parent != ROOT and self._phases.get(event.parent) != "begun":
            yield f"{frame} was created inside {event.parent}, which is not under way"
        self._phases[frame] = "created"
        self._parents[frame] = event.parent
        self._references[frame] = event.task

    def _in(self, event: TaskFact, *phases: Phase) -> Iterator[str]:
        phase = self._phases.get(event.frame_id)
        if phase not in phases:
            yield f"{type(event).__name__} of {event.frame_id}, which is {phase or 'not there'}"

    def _quiet_inside(self, event: TaskFact) -> Iterator[str]:
        living = [name for name in self._inside(event.frame_id) if self._phases[name] != "over"]
        if living:
            yield f"{type(event).__name__} of {event.frame_id} while {living} were under way"

    def _inside(self, frame: str) -> list[str]:
        found = [name for name, parent in self._parents.items() if parent == frame]
        return found + [below for name in found for below in self._inside(name)]

    def _forget_inside(self, frame: str) -> None:
        for name in self._inside(frame):
            del self._phases[name], self._parents[name]

    def _forget(self, frame: str) -> None:
        self._forget_inside(frame)
        self._phases.pop(frame, None)
        self._parents.pop(frame, None)
        self._decided.pop(frame, None)

    # ------------------------------------------------------------ races

    def _decide(self, frame: str) -> None:
        parent = self._parents.get(frame, ROOT)
        task = self._definition.tasks.get(self._references.get(parent, ""))
        if isinstance(task, ForkTask) and task.compete:
            self._decided.setdefault(parent, frame)

    def _race(self, event: TaskFact) -> Iterator[str]:
        """Once a branch has won, the others only get cancelled."""
        if isinstance(event, TaskCancelled) or not self._decided:
            return
        parent = self._parents.get(event.frame_id, ROOT)
        if parent in self._decided:
            yield f"{type(event).__name__} of {event.frame_id} after {self._decided[parent]} had won"


def _entered(stood: Open) -> bool:
    """Whether the workflow had come to its first task."""
    root = stood.frames.get(ROOT)
    return root is not None and isinstance(root.activity, Doing) and root.activity.index >= 0
