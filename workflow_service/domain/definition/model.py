"""What an author may write, after parsing: a tree of tasks with their expressions compiled.

A definition is built once per digest (``parsing.parse_definition``) and only read afterwards. Every task knows its
*reference*, the JSON Pointer of its place in the document (``/do/0/setRed``), which is what histories and errors name.

Source: Open Workflow Specification, DSL 1.0.3, reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from workflow_service.domain.expressions import Expression, JsonValue, Template

Reference: TypeAlias = str
"""JSON Pointer (RFC 6901) of a task in its document, the task's name included."""

CONTINUE = "continue"
EXIT = "exit"
END = "end"


class SchemaValidator(Protocol):
    """A compiled JSON Schema."""

    def problem(self, value: JsonValue) -> str | None:
        """Say in one line what is wrong with *value* and where, or None when it is valid."""
        ...


@dataclass(frozen=True, slots=True)
class FixedDuration:
    """A length of time known when the definition was parsed."""

    seconds: float


Duration: TypeAlias = "FixedDuration | Template"
"""A template must come to an ISO 8601 duration string or to an object of day … millisecond members."""


@dataclass(frozen=True, slots=True)
class DataFlow:
    """The transformations and validations around a task or a workflow (DSL, "Data Flow")."""

    input_schema: SchemaValidator | None = None
    input_from: Template | None = None
    output_as: Template | None = None
    output_schema: SchemaValidator | None = None
    export_as: Template | None = None
    export_schema: SchemaValidator | None = None


NO_DATA_FLOW = DataFlow()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskBase:
    """What every kind of task has."""

    name: str
    reference: Reference
    document: Mapping[str, JsonValue]
    """The task as written: what ``$task.definition`` shows."""
    condition: Expression | None = None
    data_flow: DataFlow = NO_DATA_FLOW
    timeout: Duration | None = None
    then: str = CONTINUE
    """``continue``, ``exit``, ``end`` or the name of a task in the same list."""


@dataclass(frozen=True, slots=True)
class TaskList:
    """Tasks that run one after another, unless a ``then`` says otherwise."""

    reference: Reference
    """Pointer of the list itself: ``/do``, ``/do/1/attempt/catch/do``."""
    tasks: tuple[Task, ...]
    positions: Mapping[str, int]
    """Index of each task by its name, for ``then``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoTask(TaskBase):
    """Runs its tasks in sequence."""

    do: TaskList


@dataclass(frozen=True, slots=True, kw_only=True)
class SetTask(TaskBase):
    """Its output is the rendered value."""

    value: Template


@dataclass(frozen=True, slots=True)
class SwitchCase:
    """One case; without a condition it is the default."""

    name: str
    when: Expression | None
    then: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchTask(TaskBase):
    """Picks the first case that holds; the default when none does; else goes on as ``then`` says."""

    cases: tuple[SwitchCase, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForTask(TaskBase):
    """Runs its tasks once per item; each iteration's output is the next one's input."""

    each: str
    at: str
    collection: Expression | Template
    """An expression, or a template when the collection was written inline."""
    while_condition: Expression | None = None
    do: TaskList


@dataclass(frozen=True, slots=True, kw_only=True)
class ForkTask(TaskBase):
    """Runs its branches concurrently; with *compete* the first to end wins."""

    branches: TaskList
    compete: bool


@dataclass(frozen=True, slots=True)
class ErrorFilter:
    """A static filter: only the members that are set are compared."""

    type: str | None = None
    status: int | None = None
    instance: str | None = None
    title: str | None = None
    detail: str | None = None


BackoffKind: TypeAlias = Literal["constant", "linear", "exponential"]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When, how often and after which delay a faulted block is tried again."""

    when: Expression | None = None
    except_when: Expression | None = None
    delay: Duration | None = None
    """None: the engine's default delay, with full jitter."""
    backoff: BackoffKind = "constant"
    max_retries: int | None = None
    """How often it is tried again after the first attempt; None: the engine's default limit."""
    attempt_duration: Duration | None = None
    """How long each attempt may take."""
    total_duration: Duration | None = None
    """How long after the first fault a new attempt may still begin."""
    jitter: tuple[Duration, Duration] | None = None


@dataclass(frozen=True, slots=True)
class Catch:
    """Which errors a ``try`` catches, and what then happens."""

    errors: ErrorFilter | None = None
    error_variable: str = "error"
    when: Expression | None = None
    except_when: Expression | None = None
    retry: RetryPolicy | None = None
    do: TaskList | None = None
    then: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TryTask(TaskBase):
    """Runs its tasks; errors that match are caught, retried and handled."""

    attempt: TaskList
    catch: Catch


@dataclass(frozen=True, slots=True)
class ErrorDefinition:
    """An error to raise; text members may be templates."""

    type: Template
    status: Template
    title: Template | None = None
    detail: Template | None = None
    instance: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseTask(TaskBase):
    """Raises an error."""

    error: ErrorDefinition


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitTask(TaskBase):
    """Pauses for a time."""

    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitTask(TaskBase):
    """Publishes a CloudEvent; its output is the event."""

    event: Template
    """The attributes under ``emit.event.with``."""


@dataclass(frozen=True, slots=True)
class BasicAuthentication:
    """RFC 7617."""

    username: Template
    password: Template


@dataclass(frozen=True, slots=True)
class BearerAuthentication:
    """RFC 6750."""

    token: Template


Authentication: TypeAlias = "BasicAuthentication | BearerAuthentication"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHttpTask(TaskBase):
    """One HTTP request."""

    method: str
    endpoint: Template
    """An expression comes to the whole URI; a literal is a URI template whose variables are expanded afterwards."""
    headers: Template | None = None
    query: Template | None = None
    body: Template | None = None
    """None: no body at all; a template of null sends ``null``."""
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFunctionTask(TaskBase):
    """Runs a function of ``use.functions``: its rendered arguments are the function's raw input."""

    function: str
    arguments: Template | None = None
    body: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class CallServedTask(TaskBase):
    """Calls a function that is served outside of the document: by the operator, or by workers."""

    function: str
    version: str = ""
    """Empty: whichever version is served."""
    arguments: Template | None = None


Task: TypeAlias = (
    "DoTask | SetTask | SwitchTask | ForTask | ForkTask | TryTask | RaiseTask | WaitTask | EmitTask"
    " | CallHttpTask | CallFunctionTask | CallServedTask"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A workflow as published."""

    namespace: str
    name: str
    version: str
    digest: str
    document: Mapping[str, JsonValue]
    do: TaskList
    data_flow: DataFlow = NO_DATA_FLOW
    timeout: Duration | None = None
    title: str = ""
    summary: str = ""
    tasks: Mapping[Reference, Task] = field(default_factory=dict)
    """Every task of the document by its reference, those of ``use.functions`` included."""
    lists: Mapping[Reference, TaskList] = field(default_factory=dict)
    """Every task list by its reference."""
    cheap: bool = True
    """Whether every expression is provably cheap, so that the engine may decide on its event loop."""
