"""What an author may write, after parsing: a tree of tasks with their expressions compiled.

A definition is built once per digest (``parsing.parse_definition``) and only read afterwards. Every task knows its
*reference*, the JSON Pointer of its place in the document (``/do/0/setRed``), which is what histories and errors name.

Source: Open Workflow Specification, DSL 1.0.3, reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from workflow_service.domain.definition.authentication import (
    Authentication,
    BasicAuthentication,
    BearerAuthentication,
    DigestAuthentication,
)
from workflow_service.domain.definition.error_handling import (
    BackoffKind,
    ErrorDefinition,
    ErrorFilter,
    RaiseTask,
    RetryPolicy,
)
from workflow_service.domain.definition.processes import (
    RunContainerTask,
    RunScriptTask,
    RunShellTask,
    RunTask,
    RunWorkflowTask,
)
from workflow_service.domain.definition.service_tasks import (
    CallA2aTask,
    CallGrpcTask,
    CallMcpTask,
    CallOpenapiTask,
    PublishTask,
    ReceiveTask,
    SubscribeTask,
)
from workflow_service.domain.definition.single_tasks import (
    CallHttpTask,
    CallServedTask,
    EmitTask,
    SetTask,
    SwitchCase,
    SwitchTask,
    WaitTask,
)
from workflow_service.domain.definition.subscriptions import ListenTask
from workflow_service.domain.definition.task_members import (
    CONTINUE,
    END,
    EXIT,
    NO_DATA_FLOW,
    DataFlow,
    Duration,
    ExternalResource,
    FixedDuration,
    Reference,
    SchemaValidator,
    TaskBase,
)
from workflow_service.domain.events import ConsumptionStrategy
from workflow_service.domain.expressions import Expression, JsonValue, Template
from workflow_service.domain.schedules.model import Schedule

__all__ = [
    "CONTINUE",
    "END",
    "EXIT",
    "NO_DATA_FLOW",
    "Authentication",
    "BackoffKind",
    "BasicAuthentication",
    "BearerAuthentication",
    "CallA2aTask",
    "CallFunctionTask",
    "CallGrpcTask",
    "CallHttpTask",
    "CallMcpTask",
    "CallOpenapiTask",
    "CallServedTask",
    "Catch",
    "CompensateTask",
    "DataFlow",
    "Definition",
    "DigestAuthentication",
    "DoTask",
    "Duration",
    "EmitTask",
    "ErrorDefinition",
    "ErrorFilter",
    "ExternalResource",
    "FixedDuration",
    "ForTask",
    "ForkTask",
    "ListenTask",
    "PublishTask",
    "RaiseTask",
    "ReceiveTask",
    "Reference",
    "RetryPolicy",
    "RunContainerTask",
    "RunScriptTask",
    "RunShellTask",
    "RunTask",
    "RunWorkflowTask",
    "SchemaValidator",
    "SetTask",
    "SubscribeTask",
    "SwitchCase",
    "SwitchTask",
    "Task",
    "TaskBase",
    "TaskList",
    "TryTask",
    "WaitTask",
]


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFunctionTask(TaskBase):
    """Runs a function of ``use.functions``: its rendered arguments are the function's raw input."""

    function: str
    arguments: Template | None = None
    body: Task


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensateTask(TaskBase):
    """Undoes the task that it is written in; its input is that task's raw output."""

    do: TaskList


Task: TypeAlias = (
    "DoTask | SetTask | SwitchTask | ForTask | ForkTask | TryTask | RaiseTask | WaitTask | EmitTask"
    " | CallHttpTask | CallFunctionTask | CallServedTask | CallGrpcTask | RunWorkflowTask"
    " | ListenTask | RunShellTask | RunScriptTask | RunContainerTask"
    " | CallA2aTask | CallMcpTask | PublishTask | SubscribeTask | ReceiveTask | CallOpenapiTask"
    " | CompensateTask"
)


@dataclass(frozen=True, slots=True)
class Extension:
    """Tasks that run before and after others."""

    name: str
    kinds: frozenset[str]
    """Kinds of task that it extends; empty: all of them."""
    when: Expression | None = None
    before: TaskList | None = None
    after: TaskList | None = None


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
    schedule: Schedule | None = None
    """When it starts by itself, if it does."""
    on: ConsumptionStrategy | None = None
    """The events that then start it, if any do."""
    title: str = ""
    summary: str = ""
    tasks: Mapping[Reference, Task] = field(default_factory=dict)
    """Every task of the document by its reference, those of ``use.functions`` included."""
    lists: Mapping[Reference, TaskList] = field(default_factory=dict)
    """Every task list by its reference."""
    secrets: tuple[str, ...] = ()
    """Names of ``use.secrets``."""
    extensions: tuple[Extension, ...] = ()
    cheap: bool = True
    """Whether every expression is provably cheap, so that the engine may decide on its event loop."""

    @property
    def compensates(self) -> bool:
        """Whether it has tasks that can be undone."""
        return any(task.compensable for task in self.tasks.values())
