"""How the workflow itself begins and ends: the outermost steps of the data flow."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.events import (
    WorkflowCompleted,
    WorkflowFaulted,
    WorkflowStarted,
)
from workflow_service.domain.execution.problem import Problem, Raised
from workflow_service.domain.execution.state import ROOT, Created, Frame

if TYPE_CHECKING:
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.expressions import JsonValue


def begin(advance: Advance) -> None:
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
    if failed is not None:
        fault(advance, failed)
    else:
        advance.enter(advance.draft.frame(ROOT), advance.definition.do)


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


def finish(advance: Advance, output: JsonValue) -> None:
    """Transform and validate the output (steps 10 and 11), and complete."""
    flow = advance.definition.data_flow
    try:
        result = data_flow.transform(flow.output_as, output, _arguments(advance))
        data_flow.bounded(result, advance.limits.data_bytes, "the workflow's output")
        data_flow.validate(flow.output_schema, result, "the workflow's output")
    except Raised as raised:
        fault(advance, raised.problem.at("/output"))
        return
    advance.emit(WorkflowCompleted(result))


def fault(advance: Advance, problem: Problem) -> None:
    """End with an error; what still runs is cancelled, and kept for a retry."""
    advance.cancel_inside(ROOT)
    advance.emit(WorkflowFaulted(problem))


def _arguments(advance: Advance) -> data_flow.Arguments:
    opened = advance.opened
    started = opened.started_at or advance.now
    blank = Frame(ROOT, "", "", opened.input, opened.input, Created(), started_at=started)
    return advance.scope(blank, None).arguments(with_input=False)
