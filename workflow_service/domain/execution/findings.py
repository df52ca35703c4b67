"""What one advance has found so far: facts, and the state that they lead to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.model import (
    NO_DATA_FLOW,
    DataFlow,
    Task,
)
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.data_flow import Arguments, Scope
from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.effects import Call, Effect
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.events import (
    Event,
    TaskCancelled,
    TaskStarted,
)
from workflow_service.domain.execution.evolve import apply
from workflow_service.domain.execution.problem import Raised, runtime
from workflow_service.domain.execution.state import (
    ROOT,
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


class Findings:
    """The facts that an advance has found, the draft that follows them, and what tasks see and say of both."""

    def __init__(self, definition: Definition, state: State, environment: Environment) -> None:
        self.definition = definition
        self.draft = Draft(state)
        self.environment = environment
        self.now = environment.now
        self.limits = environment.limits
        self.events: list[Event] = []
        self.size = 0
        """Bytes of the outputs and contexts among the facts, as JSON."""

    def emit(self, event: Event) -> None:
        """Add a fact and let the draft follow it."""
        apply(self.draft, event, self.now)
        self.events.append(event)

    @property
    def opened(self) -> Open:
        """The state as it is now."""
        return self.draft.open

    @property
    def ended(self) -> bool:
        """Whether the execution has ended."""
        return isinstance(self.draft.state, Ended)

    def task_of(self, frame: Frame) -> Task:
        """Return the definition of a frame's task."""
        return self.definition.tasks[frame.task]

    def owner_of(self, frame: Frame) -> Task | Definition:
        """Return what a frame runs the tasks of: a task, or the workflow itself."""
        return self.definition if frame.id == ROOT else self.definition.tasks[frame.task]

    def scope(self, frame: Frame, task: Task | None) -> Scope:
        """Return what expressions of a task see."""
        may_block, lent = self.environment.may_block, self.environment.lent
        return Scope(self.definition, self.opened, frame, task, may_block=may_block, lent=lent)

    def arguments(
        self, frame: Frame, task: Task, more: Mapping[str, JsonValue] | None = None
    ) -> Arguments:
        """Return the arguments of expressions in a task's definition; *more* adds variables."""
        return self.scope(frame, task).arguments(more=more)

    def is_skipped(self, frame: Frame, task: Task) -> bool:
        """Return whether the condition of a task does not hold.

        Raises:
            Raised: it cannot be told.
        """
        if task.condition is None:
            return False
        arguments = self.scope(frame, task).arguments(with_input=False)
        return not data_flow.holds(task.condition, frame.raw_input, arguments)

    def with_input(self, frame: Frame, task: Task) -> Frame:
        """Validate and transform a task's input (data flow, steps 3 and 4)."""
        flow = task.data_flow
        data_flow.validate(flow.input_schema, frame.raw_input, "the task's input")
        if flow.input_from is None:
            return frame
        arguments = self.scope(frame, task).arguments(with_input=False)
        return frame.with_input(data_flow.render(flow.input_from, frame.raw_input, arguments))

    def check_room(self) -> None:
        """Refuse to do what could not be undone: there is too much to undo already."""
        most = self.limits.compensations
        if len(self.opened.compensations) >= most:
            told = f"at most {most} completed tasks may wait to be undone"
            raise Raised(runtime(beyond(told, "compensations")))

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
        key = f"{opened.execution}:{frame.id}"
        effect = Effect(opened.effects + 1, key, call, secrets=self.definition.secrets)
        self.started(frame, task, Performing(effect))

    def in_future(self, duration: Duration, data: JsonValue, arguments: Arguments) -> datetime:
        """Return the moment that lies *duration* ahead."""
        length = data_flow.seconds(duration, data, arguments, self.limits.longest_delay)
        return self.now + timedelta(seconds=length)

    def with_output(
        self, frame: Frame, task: Task, raw_output: JsonValue, flow: DataFlow
    ) -> tuple[JsonValue, JsonValue | UnsetType]:
        """Transform, validate and export an output; return it with the new context, if there is one.

        Raises:
            Raised: a transformation fails, or a validation.
        """
        if flow is NO_DATA_FLOW:
            self.size += data_flow.bounded(
                raw_output, self.limits.output_bytes, "the task's output", "output_bytes"
            )
            return raw_output, UNSET
        scope = self.scope(frame, task)
        scope.raw_output = raw_output
        output = data_flow.transform(flow.output_as, raw_output, scope.arguments())
        self.size += data_flow.bounded(
            output, self.limits.output_bytes, "the task's output", "output_bytes"
        )
        data_flow.validate(flow.output_schema, output, "the task's output")
        if flow.export_as is None:
            return output, UNSET
        scope.output = output
        context = data_flow.render(flow.export_as, output, scope.arguments())
        self.size += data_flow.bounded(
            context, self.limits.context_bytes, "the context", "context_bytes"
        )
        data_flow.validate(flow.export_schema, context, "the exported context")
        return output, context

    def cancel_inside(self, frame_id: str) -> None:
        """Cancel everything that runs below a task, innermost first."""
        for frame in reversed(self.draft.inside(frame_id)):
            if not isinstance(frame.activity, Faulted | Halted):
                self.emit(TaskCancelled(frame.task, frame.differing_id))
