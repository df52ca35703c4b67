"""One advance: from a stimulus to the point where every branch waits.

An :class:`Advance` holds a draft of the state and the facts found so far. It knows how tasks begin, end and fault, and
how lists go on; what the single kinds of task do, the workflow as the outermost one among them, is in ``tasks``. It
performs nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from workflow_service.domain.definition.model import (
    CONTINUE,
    END,
    EXIT,
    Task,
    TaskList,
)
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.events import (
    TaskCompleted,
    TaskCreated,
    TaskFaulted,
    TaskSkipped,
    TaskStarted,
)
from workflow_service.domain.execution.findings import Findings
from workflow_service.domain.execution.problem import Problem, Raised
from workflow_service.domain.execution.state import (
    ROOT,
    Created,
    Extending,
    Frame,
    State,
)

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Definition
    from workflow_service.domain.expressions import JsonValue


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


class Around(Kind[Any], Protocol):
    """What surrounds a task: extensions."""

    def enter(self, advance: Advance, frame: Frame, task: Task) -> bool:
        """Begin what comes before *task*; say whether there is anything around it at all."""
        ...

    def leave(self, advance: Advance, frame: Frame, output: JsonValue, directive: str) -> bool:
        """Begin what comes after a task that has come to *output*; say whether there is anything."""
        ...


class Advance(Findings):
    """The facts that one stimulus leads to."""

    def __init__(
        self,
        definition: Definition,
        state: State,
        environment: Environment,
        kinds: Mapping[type, Kind[Any]],
        around: Around,
    ) -> None:
        super().__init__(definition, state, environment)
        self._kinds = kinds
        self._around = around
        self._agenda: deque[str] = deque()
        self._begun = 0

    def run(self) -> None:
        """Begin tasks until none is left to begin, or until there is enough for one commit."""
        while self._agenda and not self.ended:
            if self._has_enough:
                self._agenda.clear()  # they stay created, and the next advance begins them
                return
            frame = self.draft.frames.get(self._agenda.popleft())
            if frame is not None and isinstance(frame.activity, Created):
                self._begun += 1
                self._begin(frame)

    @property
    def _has_enough(self) -> bool:
        limits = self.limits
        return self._begun >= limits.tasks_per_advance or self.size >= limits.advance_bytes

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
        if self.opened.compensating is not None:
            self._end_of_undoing(output)
            return
        self.cancel_inside(ROOT)
        self._list_ended(msgspec.structs.replace(self.draft.frame(ROOT), data=output))

    def _end_of_undoing(self, output: JsonValue) -> None:
        """Complete what is being undone: while that goes on, ``end`` means no more than that."""
        undoing = self.draft.frame(self.opened.compensations[-1].frame_id)
        self.cancel_inside(undoing.id)
        self._list_ended(msgspec.structs.replace(undoing, data=output))

    def _list_ended(self, parent: Frame) -> None:
        owner = self.owner_of(parent)
        kind = self._kind_of(parent, owner)
        self._guarded(parent, lambda: kind.list_ended(self, parent, owner))

    def _child_ended(self, parent: Frame, directive: str) -> None:
        owner = self.owner_of(parent)
        kind = self._kind_of(parent, owner)
        self._guarded(parent, lambda: kind.child_ended(self, parent, owner, directive))

    def _kind_of(self, frame: Frame, owner: Task | Definition) -> Kind[Any]:
        """Return what knows how *owner* goes on: while extensions run, it is they."""
        return self._around if isinstance(frame.activity, Extending) else self._kinds[type(owner)]

    def _guarded(self, frame: Frame, step: Callable[[], None]) -> None:
        try:
            step()
        except Raised as raised:
            self.fault(frame.id, raised.problem)

    # ------------------------------------------------------------ tasks

    def _begin(self, frame: Frame) -> None:
        task = self.task_of(frame)
        try:
            if self.is_skipped(frame, task):
                self.emit(TaskSkipped(task.reference, frame.differing_id))
                self._child_ended(self.draft.frame(frame.parent), CONTINUE)
                return
            if task.compensable:
                self.check_room()
            given = self.with_input(frame, task)
            if not self._around.enter(self, given, task):
                self.begin_extended(given, task)
        except Raised as raised:
            self._fault_begun(frame, raised.problem)

    def begin_extended(self, frame: Frame, task: Task) -> None:
        """Begin what *task* itself does, after what extensions put before it."""
        try:
            self._kinds[type(task)].begin(self, frame, task)
        except Raised as raised:
            self._fault_begun(frame, raised.problem)

    def _fault_begun(self, frame: Frame, problem: Problem) -> None:
        if self.draft.frame(frame.id).started_at is None:
            self.emit(TaskStarted(frame.task, frame.differing_id))
        self.fault(frame.id, problem)

    def complete(self, frame_id: str, raw_output: JsonValue, directive: str | None = None) -> None:
        """End a task with what it came to, after what extensions put after it."""
        frame = self.draft.frame(frame_id)
        if not frame.extensions or not self._around.leave(self, frame, raw_output, directive or ""):
            self.complete_extended(frame_id, raw_output, directive)

    def complete_extended(
        self, frame_id: str, raw_output: JsonValue, directive: str | None = None
    ) -> None:
        """Transform, validate and export a task's output (steps 5 to 8), end it, and let its list go on."""
        frame = self.draft.frame(frame_id)
        task = self.task_of(frame)
        try:
            output, context = self.with_output(frame, task, raw_output, task.data_flow)
        except Raised as raised:
            self.fault(frame_id, raised.problem)
            return
        raw = raw_output if task.compensable and raw_output is not output else UNSET
        self.emit(
            TaskCompleted(
                task.reference, frame.differing_id, output, context, task.compensable, raw
            )
        )
        self._child_ended(self.draft.frame(frame.parent), directive or task.then)

    # ------------------------------------------------------------ faults and cancellation

    def fault(self, frame_id: str, problem: Problem) -> None:
        """Fault a task: what contains it catches the problem or faults too, and at the top the workflow does."""
        frame = self.draft.frame(frame_id)
        placed = problem.at(frame.task)
        self.cancel_inside(frame_id)
        self.emit(TaskFaulted(frame.task, frame.differing_id, error=placed))
        parent = self.draft.frame(frame.parent)
        owner = self.owner_of(parent)
        kind = self._kind_of(parent, owner)
        self._guarded(parent, lambda: kind.child_faulted(self, parent, owner, placed))


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
