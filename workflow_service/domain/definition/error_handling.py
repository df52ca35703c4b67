"""Errors as compiled: which are meant, which are raised, and when it is tried again.

Source: Open Workflow Specification, DSL reference, "Try", "Retry", "Raise".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from workflow_service.domain.definition.task_members import Duration, TaskBase
from workflow_service.domain.expressions import Expression, Template


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
