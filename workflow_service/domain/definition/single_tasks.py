"""Tasks that hold no others, as compiled: set, switch, wait, emit, and the plain calls.

Source: Open Workflow Specification, DSL reference, "Set", "Switch", "Wait", "Emit", "HTTP Call", "Function Call".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workflow_service.domain.definition.authentication import Authentication
from workflow_service.domain.definition.task_members import Duration, TaskBase
from workflow_service.domain.expressions import Expression, Template


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
class WaitTask(TaskBase):
    """Pauses for a time."""

    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class EmitTask(TaskBase):
    """Publishes a CloudEvent; its output is the event."""

    event: Template
    """The attributes under ``emit.event.with``."""


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
class CallServedTask(TaskBase):
    """Calls a function that is served outside of the document: by the operator, or by workers."""

    function: str
    version: str = ""
    """Empty: whichever version is served."""
    arguments: Template | None = None
