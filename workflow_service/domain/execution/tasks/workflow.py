"""The workflow itself: the outermost list of tasks, with the first and the last steps of the data flow."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.problem import Problem, Raised
from workflow_service.domain.execution.state import ROOT, Created, Doing, Frame, Open
from workflow_service.domain.execution.tasks.compensate import give_up, wind_up
from workflow_service.domain.execution.workflow_events import (
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowStarted,
)

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.expressions import JsonValue


class Workflow:
    """Its output is what its list of tasks came to; a fault that reaches it ends the execution."""

    def begin(self, advance: Advance, frame: Frame, task: Definition) -> None:
        """Validate and transform the input (steps 1 and 2), and enter the first task."""
        transformed: JsonValue | UnsetType = UNSET
        deadline: datetime | None = None
        failed: Problem | None = None
        try:
            transformed = _input(advance)
            deadline = _deadline(advance)
        except Raised as raised:
            failed = raised.problem
        advance.emit(WorkflowStarted(transformed, deadline))
        root = advance.draft.frame(ROOT)
        if failed is not None:
            self.child_faulted(advance, root, task, failed)
        else:
            advance.enter(root, task.do)

    def child_ended(self, advance: Advance, frame: Frame, task: Definition, directive: str) -> None:
        """Go to the next task, or where the last one's ``then`` leads."""
        place = frame.doing(Doing)
        advance.follow(frame, task.do, place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: Definition) -> None:
        """Transform and validate the output (steps 10 and 11), and complete."""
        flow = task.data_flow
        try:
            result = data_flow.transform(flow.output_as, frame.data, _arguments(advance))
            limit = advance.limits.output_bytes
            data_flow.bounded(result, limit, "the workflow's output", "output_bytes")
            data_flow.validate(flow.output_schema, result, "the workflow's output")
        except Raised as raised:
            self.child_faulted(advance, frame, task, raised.problem.at("/output"))
            return
        advance.emit(WorkflowCompleted(result))

    def child_faulted(
        self, advance: Advance, frame: Frame, task: Definition, problem: Problem
    ) -> None:
        """End with an error; what still runs is cancelled, and kept for a retry unless what was done is undone."""
        advance.cancel_inside(ROOT)
        if advance.opened.compensating is not None:
            give_up(advance, problem)
        else:
            wind_up(advance, WorkflowFaulted(problem))


def _input(advance: Advance) -> JsonValue | UnsetType:
    flow = advance.definition.data_flow
    raw = advance.opened.input
    try:
        data_flow.validate(flow.input_schema, raw, "the workflow's input")
        if flow.input_from is None:
            return UNSET
        return data_flow.render(flow.input_from, raw, _arguments(advance))
    except Raised as raised:
        raise Raised(raised.problem.at("/input")) from raised


def _deadline(advance: Advance) -> datetime | None:
    if advance.definition.timeout is None:
        return None
    try:
        return advance.in_future(
            advance.definition.timeout, advance.opened.input, _arguments(advance)
        )
    except Raised as raised:
        raise Raised(raised.problem.at("/timeout")) from raised


def _arguments(advance: Advance) -> data_flow.Arguments:
    return advance.scope(blank_root(advance.opened), None).arguments(with_input=False)


def blank_root(opened: Open) -> Frame:
    """Return the frame of a workflow that has not begun."""
    return Frame(ROOT, "", "", opened.input, opened.input, Created())


WORKFLOW = Workflow()
