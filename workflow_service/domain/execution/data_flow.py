"""The transformations and validations around every task and the workflow.

Source: Open Workflow Specification, DSL, "Data Flow" (the eleven steps) and "Runtime expression arguments".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.durations import duration_seconds
from workflow_service.domain.definition.model import FixedDuration
from workflow_service.domain.execution.lending import NOTHING_LENT, Lent
from workflow_service.domain.execution.problem import (
    Raised,
    configuration,
    expression,
    runtime,
    validation,
)
from workflow_service.domain.execution.state import ROOT, Extending
from workflow_service.domain.expressions import ExpressionFailed
from workflow_service.domain.expressions.measuring import deeper_than, size_of

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Definition, Duration, SchemaValidator, Task
    from workflow_service.domain.execution.state import Frame, Open
    from workflow_service.domain.expressions import Expression, JsonValue, Template

RUNTIME: Mapping[str, JsonValue] = {"name": "autoworker", "version": "0.1.0", "metadata": {}}


DEEPEST = 128
"""Levels of arrays and objects in any value: far below what encoders can stand, far above what people write."""


class Arguments(Mapping[str, "JsonValue"]):
    """The arguments of one expression, made only when the expression asks for them."""

    __slots__ = ("_makers", "_values", "lent", "may_block")

    def __init__(
        self,
        values: Mapping[str, JsonValue],
        makers: Mapping[str, Callable[[], JsonValue]],
        *,
        may_block: bool,
        lent: Lent = NOTHING_LENT,
    ) -> None:
        self.lent = lent
        """The secrets that the expression may read."""
        self._values = values
        self._makers = makers
        self.may_block = may_block
        """Whether the expression may take its time: never so on an event loop."""

    def __getitem__(self, name: str) -> JsonValue:
        if name in self._values:
            return self._values[name]
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield from (name for name in self._makers if name not in self._values)

    def __len__(self) -> int:
        return len(set(self._values) | set(self._makers))


class Scope:
    """What expressions of one task see.

    ``raw_output`` and ``output`` are filled in as the task comes to them.
    """

    __slots__ = (
        "_definition", "_frame", "_lent", "_may_block", "_open", "_task", "output", "raw_output",
    )  # fmt: skip

    def __init__(
        self,
        definition: Definition,
        opened: Open,
        frame: Frame,
        task: Task | None,
        *,
        may_block: bool,
        lent: Lent = NOTHING_LENT,
    ) -> None:
        self._lent = lent
        self._may_block = may_block
        self._definition = definition
        self._open = opened
        self._frame = frame
        self._task = task
        self.raw_output: JsonValue = None
        self.output: JsonValue = None

    def arguments(
        self, *, with_input: bool = True, more: Mapping[str, JsonValue] | None = None
    ) -> Arguments:
        """Return the arguments; *more* adds variables or overrides."""
        values: dict[str, JsonValue] = {
            "context": self._open.context,
            "input": self._frame.input if with_input else None,
            "output": self.output,
            "secrets": self._lent.markers,
            "authorization": None,
            **self._frame.variables,
            **(more or {}),
        }
        makers = {"task": self._task_descriptor, "workflow": self._workflow, "runtime": _runtime}
        return Arguments(values, makers, may_block=self._may_block, lent=self._lent)

    def _task_descriptor(self) -> JsonValue:
        if self._task is None:
            return None
        extended = extended_around(self._open, self._frame)
        if extended is None:
            return described(self._task, self._frame, self.raw_output)
        return described_as_extended(self._definition.tasks[extended.task], extended)

    def _workflow(self) -> JsonValue:
        started = self._open.started_at
        return {
            "id": self._open.execution,
            "definition": dict(self._definition.document),
            "input": self._open.input,
            "startedAt": None if started is None else date_time(started),
        }


def described(task: Task, frame: Frame, output: JsonValue) -> dict[str, JsonValue]:
    """Return a task as ``$task`` shows it."""
    started = frame.started_at
    return {
        "name": task.name,
        "reference": task.reference,
        "definition": dict(task.document),
        "input": frame.raw_input,
        "output": output,
        "startedAt": None if started is None else date_time(started),
    }


def described_as_extended(task: Task, frame: Frame) -> JsonValue:
    """Return a task as the expressions of its extensions see it: the members of its definition as well."""
    doing = frame.activity
    output = doing.output if isinstance(doing, Extending) and doing.after else None
    return {**task.document, **described(task, frame, output)}


def extended_around(opened: Open, frame: Frame) -> Frame | None:
    """Return the task that an extension extends with the one in *frame*; None for a task of no extension."""
    inner = frame
    while inner.id != ROOT:
        outer = opened.frames.get(inner.parent)
        if outer is None:
            return None
        if isinstance(outer.activity, Extending):
            return outer
        inner = outer
    return None


def _runtime() -> JsonValue:
    return dict(RUNTIME)


def date_time(moment: datetime) -> JsonValue:
    """Return *moment* as the DSL's DateTime descriptor."""
    milliseconds = int(moment.timestamp() * 1000)
    return {
        "iso8601": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "epoch": {"seconds": milliseconds // 1000, "milliseconds": milliseconds},
    }


def evaluate(wanted: Expression, data: JsonValue, arguments: Arguments) -> JsonValue:
    """Evaluate an expression.

    Raises:
        Raised: it fails, or reads a secret that it may not; the problem is the DSL's.
        NeedsWorker: it may take long, and the decision may not block; decide again where it may.
    """
    _check_lending(wanted, arguments)
    try:
        if arguments.may_block:
            return shallow(wanted.evaluate(data, arguments))
        return shallow(wanted.evaluate_here(data, arguments))
    except ExpressionFailed as failed:
        raise Raised(expression(f"{failed.message}, in: {wanted.source}")) from failed


def _check_lending(wanted: Expression | Template, arguments: Arguments) -> None:
    if wanted.lending is not None:
        arguments.lent.check(wanted.lending)


def holds(wanted: Expression, data: JsonValue, arguments: Arguments) -> bool:
    """Evaluate a condition; as in jq, only false and null do not hold.

    Raises:
        Raised: it fails.
    """
    result = evaluate(wanted, data, arguments)
    return result is not None and result is not False


def render(wanted: Template, data: JsonValue, arguments: Arguments) -> JsonValue:
    """Evaluate all expressions inside a value.

    Raises:
        Raised: one fails.
        NeedsWorker: one may take long, and the decision may not block.
    """
    _check_lending(wanted, arguments)
    try:
        if arguments.may_block:
            return shallow(wanted.render(data, arguments))
        return shallow(wanted.render_here(data, arguments))
    except ExpressionFailed as failed:
        raise Raised(expression(failed.message)) from failed


def transform(wanted: Template | None, data: JsonValue, arguments: Arguments) -> JsonValue:
    """Apply ``input.from``, ``output.as`` or ``export.as``; without one the data stay as they are."""
    return data if wanted is None else render(wanted, data, arguments)


def validate(schema: SchemaValidator | None, data: JsonValue, what: str) -> None:
    """Check *data* against a schema.

    Raises:
        Raised: they do not match; the problem is the DSL's validation error.
    """
    if schema is None:
        return
    problem = schema.problem(data)
    if problem is not None:
        raise Raised(validation(f"{what}: {problem}"))


def shallow(data: JsonValue) -> JsonValue:
    """Return *data*, which nothing could store if they were nested too deep.

    Raises:
        Raised: they are; the problem is the DSL's runtime error.
    """
    if isinstance(data, dict | list) and deeper_than(data, DEEPEST):
        raise Raised(runtime(f"the data are nested more than {DEEPEST} levels deep"))
    return data


def bounded(data: JsonValue, limit: int, what: str, name: str) -> int:
    """Refuse data that are larger than *limit* bytes, which is the limit called *name*, or nested too deep.

    Returns:
        How many bytes of JSON they are, about.

    Raises:
        Raised: they are; the problem is the DSL's runtime error.
    """
    _ = shallow(data)
    size = size_of(data, limit)
    if size > limit:
        raise Raised(runtime(beyond(f"{what} is larger than {limit} bytes", name)))
    return size


def seconds(duration: Duration, data: JsonValue, arguments: Arguments, longest: float) -> float:
    """Return the length of *duration* in seconds.

    Raises:
        Raised: its expression fails, it is no duration, it is negative, or longer than *longest*.
    """
    if isinstance(duration, FixedDuration):
        length = duration.seconds
    else:
        value = render(duration, data, arguments)
        try:
            length = duration_seconds(value)
        except ValueError as wrong:
            raise Raised(configuration(str(wrong))) from wrong
    if length > longest:
        told = beyond(f"a duration may be at most {longest:.0f} s: {length}", "duration_seconds")
        raise Raised(configuration(told))
    if not length >= 0:
        raise Raised(configuration(f"a duration cannot be negative: {length}"))
    return length
