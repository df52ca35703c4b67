"""Where an execution comes from, if nobody asked for it by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

import msgspec


class ParentTask(msgspec.Struct, frozen=True, tag="task"):
    """A task of another execution runs it."""

    execution: str
    """The parent."""
    task: str
    """Reference of the task."""
    effect: int
    """Number of the parent's effect."""
    depth: int
    """How many executions are above."""
    awaited: bool
    """Whether the task lasts until the execution has ended, and ends it when nobody awaits it any longer."""


class ScheduledStart(msgspec.Struct, frozen=True, tag="schedule", omit_defaults=True):
    """A schedule started it."""

    schedule: str
    """Namespace and name of the workflow, with a point between them."""
    kind: Literal["every", "cron", "after", "on", "trigger"]
    at: datetime | None = None
    """The tick; None where there is none."""


Origin: TypeAlias = ParentTask | ScheduledStart


def depth_of(origin: Origin | None) -> int:
    """Return how many executions are above the one that comes from *origin*."""
    return origin.depth if isinstance(origin, ParentTask) else 0
