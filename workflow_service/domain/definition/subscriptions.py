"""Tasks that take one event after another, as compiled.

Source: Open Workflow Specification, DSL reference, "Listen", "Subscription Iterator".
"""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.domain.definition.task_members import (
    NO_DATA_FLOW,
    DataFlow,
    Reference,
    TaskBase,
)
from workflow_service.domain.events.cloud_event import ReadAs
from workflow_service.domain.events.model import ConsumptionStrategy


@dataclass(frozen=True, slots=True)
class SubscriptionIterator:
    """What is done with each event that is taken."""

    each: str = "item"
    at: str = "index"
    do: Reference | None = None
    """Pointer of the task list in ``Definition.lists``; None: the event is the result."""
    data_flow: DataFlow = NO_DATA_FLOW
    """Of each event: what comes of it, and what it leaves in the context."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenTask(TaskBase):
    """Waits for events, and may do something with each; its output is the list of what came of them."""

    to: ConsumptionStrategy
    read: ReadAs = "data"
    iterator: SubscriptionIterator | None = None
    """None: events are collected as they are."""
