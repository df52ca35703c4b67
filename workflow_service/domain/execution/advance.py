"""One advance: from a stimulus to the point where every branch waits.

An :class:`Advance` holds a draft of the state and the facts found so far. It knows how tasks begin, end and fault, and
how lists go on; what the single kinds of task do, the workflow as the outermost one among them, is in ``tasks``. It
performs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from workflow_service.domain.definition.model import (
    CONTINUE,
    END,
    EXIT,
    NO_DATA_FLOW,
    Task,
    TaskList,
)
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.data_flow import Arguments, Scope
from workflow_service.domain.execution.effects import Call, Effect
from workflow_service.domain.execution.events import (
    Event,
    TaskCancelled,
    TaskCompleted,
    TaskCreated,
    TaskFaulted,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.evolve import Draft
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.problem import Problem, Raised
from workflow_service.domain.execution.state import (
    ROOT,
    Created,
    Ended,
    Faulted,
    Frame,
    Halted,
    LiveActivity,
    Open,
    Performing,
    State,
)

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Definition, Duration
    from workflow_service.domain.expressions import JsonValue


@dataclass(frozen=True, slots=True)
class Environment:
    """What a decision may know of the world: all of it handed in, so that decisions are pure."""

    now: datetime
    random: Random
    limits: Limits
    may_block: bool = False
    """Whether expressions may take their time; if not, ``NeedsWorker`` says where they would."""


T = TypeVar("T", contravariant=True)


class Kind(Protocol[T]):
    """How one kind of task behaves. What goes wrong is raised as ``Raised`` and faults the task."""

    def begin(self, advance: Advance, frame: Frame, task: T) -> None:
        """Begin *task*; its transformed input is in *frame*."""
        ...

    def child_ended(self, advance: Advance, frame: Frame, task: T, directive: str) -> None:
        """One of its tasks was completed or skipped; *directive* is where that one's ``then`` leads."""
        ...

    def list_ended(self, advance: Advance, frame: Frame, task: T) -> None:
        """The list of tasks that it was running is over; what it came to is ``frame.data``."""
        ...

    def child_faulted(self, advance: Advance, frame: Frame, task: T, problem: Problem) -> None:
        """One of its tasks has faulted."""
        ...


class Advance:
    """The facts that one stimulus leads to."""

    def __init__(
        self,
        definition: Definition,
        state: State,
        environment: Environment,
        kinds: Mapping[type, Kind[Any]],
    ) -> None:
        self.definition = definition
        self.draft = Draft(state)
        self.environment = environment
        self.now = environment.now
        self.limits = environment.limits
        self.events: list[Event] = []
        self._kinds = kinds
        self._agenda: deque[str] = deque()
        self._begun = 0

    # ------------------------------------------------------------ facts, and running

    def emit(self, event: Event) -> None:
        """Add a fact and let the draft follow it."""
        self.draft.apply(event, self.now)
        self.events.append(event)

    @property
    def opened(self) -> Open:
        """The state as it is now."""
        return self.draft.open

    @property
    def ended(self) -> bool:
        """Whether the execution has ended."""
        return isinstance(self.draft.state, Ended)

    def run(self) -> None:
        """Begin tasks until none is left to begin, or until there is enough for one commit."""
        while self._agenda and not self.ended:
            if self._begun >= self.limits.tasks_per_advance:
                self._agenda.clear()  # they stay created, and the next advance begins them
                return
            frame = self.draft.frames.get(self._agenda.popleft())
            if frame is not None and isinstance(frame.activity, Created):
                self._begun += 1
                self._begin(frame)

    def enqueue_ready(self) -> None:
        """Put every created task on the agenda: those that an earlier advance or a retry left."""
        self._agenda.extend(
            frame.id for frame in self.draft.frames.values() if isinstance(frame.activity, Created)
        )

    # ------------------------------------------------------------ lists

    def enter(self, parent: Frame, tasks: TaskList, index: int = 0, round_: int = 0) -> None:
        """Create the task at *index* of a list; behind the last one the list is over."""
        if index < len(tasks.tasks):
            self.create(parent, tasks.tasks[index], index=index, round_=round_)
        else:
            self._list_ended(parent)

    def create(
        self,
        parent: Frame,
        task: Task,
        *,
        index: int = 0,
        round_: int = 0,
        branch: int = -1,
        given: JsonValue | UnsetType = UNSET,
    ) -> None:
        """Create *task* below *parent* and put it on the agenda; *given* is its raw input if not the list's data."""
        frame_id = _frame_id(self.draft.frame(parent.id), task, round_)
        frame = "" if frame_id == task.reference else frame_id
        self.emit(TaskCreated(task.reference, frame, parent.id, index, round_, branch, given))
        self._agenda.append(frame_id)

    def follow(
        self, parent: Frame, tasks: TaskList, index: int, round_: int, directive: str
    ) -> None:
        """Go where a task's ``then`` leads (DSL reference, "Flow Directive")."""
        if directive == CONTINUE:
            self.enter(parent, tasks, index + 1, round_)
        elif directive == EXIT:
            self._list_ended(parent)
        elif directive == END:
            self.end_gracefully(parent.data)
        else:
            target = tasks.positions[directive]
            self.enter(parent, tasks, target, round_ + 1 if target <= index else round_)

    def end_gracefully(self, output: JsonValue) -> None:
        """Complete the whole workflow from wherever it is: the ``end`` directive."""
        self.cancel_inside(ROOT)
        self._list_ended(msgspec.structs.replace(self.draft.frame(ROOT), data=output))

    def _list_ended(self, parent: Frame) -> None:
        owner = self.owner_of(parent)
        kind = self._kinds[type(owner)]
        self._guarded(parent, lambda: kind.list_ended(self, parent, owner))

    def _child_ended(self, parent: Frame, directive: str) -> None:
        owner = self.owner_of(parent)
        kind = self._kinds[type(owner)]
        self._guarded(parent, lambda: kind.child_ended(self, parent, owner, directive))

    def _guarded(self, frame: Frame, step: Callable[[], None]) -> None:
        try:
            step()
        except Raised as raised:
            self.fault(frame.id, raised.problem)

    # ------------------------------------------------------------ tasks

    def task_of(self, frame: Frame) -> Task:
        """Return the definition of a frame's task."""
        return self.definition.tasks[frame.task]

    def owner_of(self, frame: Frame) -> Task | Definition:
        """Return what a frame runs the tasks of: a task, or the workflow itself."""
        return self.definition if frame.id == ROOT else self.definition.tasks[frame.task]

    def scope(self, frame: Frame, task: Task | None) -> Scope:
        """Return what expressions of a task see."""
        may_block = self.environment.may_block
        return Scope(self.definition, self.opened, frame, task, may_block=may_block)

    def arguments(
        self, frame: Frame, task: Task, more: Mapping[str, JsonValue] | None = None
    ) -> Arguments:
        """Return the arguments of expressions in a task's definition; *more* adds variables."""
        return self.scope(frame, task).arguments(more=more)

    def _begin(self, frame: Frame) -> None:
        task = self.task_of(frame)
        try:
            if self._is_skipped(frame, task):
                self.emit(TaskSkipped(task.reference, frame.differing_id))
                self._child_ended(self.draft.frame(frame.parent), CONTINUE)
                return
            self._kinds[type(task)].begin(self, self._with_input(frame, task), task)
        except Raised as raised:
            if self.draft.frame(frame.id).started_at is None:
                self.emit(TaskStarted(task.reference, frame.differing_id))
            self.fault(frame.id, raised.problem)

    def _is_skipped(self, frame: Frame, task: Task) -> bool:
        if task.condition is None:
            return False
        arguments = self.scope(frame, task).arguments(with_input=False)
        return not data_flow.holds(task.condition, frame.raw_input, arguments)

    def _with_input(self, frame: Frame, task: Task) -> Frame:
        """Validate and transform a task's input (data flow, steps 3 and 4)."""
        flow = task.data_flow
        data_flow.validate(flow.input_schema, frame.raw_input, "the task's input")
        if flow.input_from is None:
            return frame
        arguments = self.scope(frame, task).arguments(with_input=False)
        return frame.with_input(data_flow.render(flow.input_from, frame.raw_input, arguments))

    def started(self, frame: Frame, task: Task, activity: LiveActivity | None = None) -> Frame:
        """Say that a task has begun and what it now does; return its frame.

        Only tasks with an *activity* can time out: the others end in the same advance.
        """
        changed = frame.input if frame.input is not frame.raw_input else UNSET
        deadline: datetime | None = None
        if activity is not None and task.timeout is not None:
            deadline = self.in_future(task.timeout, frame.input, self.arguments(frame, task))
        self.emit(TaskStarted(task.reference, frame.differing_id, changed, activity, deadline))
        return self.draft.frame(frame.id)

    def perform(self, frame: Frame, task: Task, call: Call) -> None:
        """Begin a task by asking the world for something.

        The key is made of execution, task and iteration: every attempt and every repetition shows the same one.
        """
        opened = self.opened
        effect = Effect(opened.effects + 1, f"{opened.execution}:{frame.id}", call)
        self.started(frame, task, Performing(effect))

    def in_future(self, duration: Duration, data: JsonValue, arguments: Arguments) -> datetime:
        """Return the moment that lies *duration* ahead."""
        length = data_flow.seconds(duration, data, arguments, self.limits.longest_delay)
        return self.now + timedelta(seconds=length)

    def complete(self, frame_id: str, raw_output: JsonValue, directive: str | None = None) -> None:
        """Transform, validate and export a task's output (steps 5 to 8), end it, and let its list go on."""
        frame = self.draft.frame(frame_id)
        task = self.task_of(frame)
        try:
            output, context = self._with_output(frame, task, raw_output)
        except Raised as raised:
            self.fault(frame_id, raised.problem)
            return
        self.emit(TaskCompleted(task.reference, frame.differing_id, output, context))
        self._child_ended(self.draft.frame(frame.parent), directive or task.then)

    def _with_output(
        self, frame: Frame, task: Task, raw_output: JsonValue
    ) -> tuple[JsonValue, JsonValue | UnsetType]:
        flow = task.data_flow
        if flow is NO_DATA_FLOW:
            data_flow.bounded(
                raw_output, self.limits.output_bytes, "the task's output", "output_bytes"
            )
            return raw_output, UNSET
        scope = self.scope(frame, task)
        scope.raw_output = raw_output
        output = data_flow.transform(flow.output_as, raw_output, scope.arguments())
        data_flow.bounded(output, self.limits.output_bytes, "the task's output", "output_bytes")
        data_flow.validate(flow.output_schema, output, "the task's output")
        if flow.export_as is None:
            return output, UNSET
        scope.output = output
        context = data_flow.render(flow.export_as, output, scope.arguments())
        data_flow.bounded(context, self.limits.context_bytes, "the context", "context_bytes")
        data_flow.validate(flow.export_schema, context, "the exported context")
        return output, context

    # ------------------------------------------------------------ faults and cancellation

    def fault(self, frame_id: str, problem: Problem) -> None:
        """Fault a task: what contains it catches the problem or faults too, and at the top the workflow does."""
        frame = self.draft.frame(frame_id)
        placed = problem.at(frame.task)
        self.cancel_inside(frame_id)
        self.emit(TaskFaulted(frame.task, frame.differing_id, error=placed))
        parent = self.draft.frame(frame.parent)
        owner = self.owner_of(parent)
        kind = self._kinds[type(owner)]
        self._guarded(parent, lambda: kind.child_faulted(self, parent, owner, placed))

    def cancel_inside(self, frame_id: str) -> None:
        """Cancel everything that runs below a task, innermost first."""
        for frame in reversed(self.draft.inside(frame_id)):
            if not isinstance(frame.activity, Faulted | Halted):
                self.emit(TaskCancelled(frame.task, frame.differing_id))


def _frame_id(parent: Frame, task: Task, round_: int) -> str:
    """Name a frame: the reference of its task, with the iterations and jumps back that led to it.

    Positions in the reference are unique among siblings, so what is added cannot make two frames collide.
    """
    scope = parent.id + parent.iteration_suffix
    if task.reference.startswith(parent.task + "/"):
        name = scope + task.reference[len(parent.task) :]
    else:
        name = f"{scope}>{task.reference}"
    return f"{name}~{round_}" if round_ else name
