"""What a definition says about its starts.

Source: Open Workflow Specification, DSL reference, "Schedule". Time zones, missed ticks and overlaps are not in the
standard: they are told in the document's metadata.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from workflow_service.domain.events import ReadAs
from workflow_service.domain.expressions import JsonValue

Missed: TypeAlias = Literal["skip", "one", "all"]
"""Of the ticks that nobody saw: start none of them; one, unless a later tick starts anyhow; or all, as far back as allowed."""
Overlap: TypeAlias = Literal["allow", "skip", "cancel"]
"""When the execution before still runs: start beside it, start nothing, or cancel it first."""


class Every(msgspec.Struct, frozen=True, tag="every", tag_field="kind"):
    """A fixed period, counted from when the schedule began."""

    seconds: float


class Cron(msgspec.Struct, frozen=True, tag="cron", tag_field="kind"):
    """Minutes that a cron expression of five fields matches."""

    expression: str
    zone: str = ""
    """IANA name; empty: the operator's default."""


class After(msgspec.Struct, frozen=True, tag="after", tag_field="kind"):
    """At once, and then each time so long after the end of the execution before."""

    seconds: float


class On(msgspec.Struct, frozen=True, tag="on", tag_field="kind"):
    """Events; the definition has the compiled strategy."""

    strategy: dict[str, JsonValue]
    """As written."""
    read: ReadAs = "data"
    types: tuple[str, ...] = ()
    """Those that its events can have; empty: any."""

    def may_want(self, type: str) -> bool:
        """Whether events of *type* may be wanted."""
        return not self.types or type in self.types


Trigger: TypeAlias = Every | Cron | After | On


class Schedule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What starts a workflow, and what holds for its starts."""

    trigger: Trigger
    missed: Missed = "one"
    overlap: Overlap = "allow"


def kind_of(trigger: Trigger) -> Literal["every", "cron", "after", "on"]:
    """Return the standard's word for *trigger*."""
    match trigger:
        case Every():
            return "every"
        case Cron():
            return "cron"
        case After():
            return "after"
        case On():
            return "on"
