"""What tasks of every kind are made of: their common members, and the small parts that several kinds have.

Source: Open Workflow Specification, DSL 1.0.3, reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from workflow_service.domain.definition.authentication import Authentication
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
    compensable: bool = False
    """Whether something undoes it: its ``metadata.compensate``."""
    then: str = CONTINUE
    """``continue``, ``exit``, ``end`` or the name of a task in the same list."""


@dataclass(frozen=True, slots=True)
class ExternalResource:
    """A document that stands elsewhere."""

    endpoint: Template
    authentication: Authentication | None = None
