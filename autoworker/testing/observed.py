"""What an execution shows to whoever tests it, in whichever way it was run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from workflow_service.domain.expressions import JsonValue

_EMITTED: Final = "event-emitted"


class Fact(msgspec.Struct, frozen=True):
    """One event of the history."""

    type: str
    kind: str
    """The last word of its type: `started`, `completed`, `retry-scheduled` …"""
    task: str
    """Reference of the task; empty for the workflow itself."""
    data: dict[str, JsonValue]


class Observed(msgspec.Struct, frozen=True):
    """What came of an execution."""

    status: str
    error: dict[str, JsonValue] | None
    facts: Sequence[Fact]
    calls: Sequence[dict[str, JsonValue]]
    """What was asked of the world, in order; `kind` says what each one is."""
    output: JsonValue | msgspec.UnsetType = msgspec.UNSET
    announced: Sequence[dict[str, JsonValue]] | None = None
    """The CloudEvents that it put on the bus, each `{type, data}`; None where the bus cannot be looked at."""
    seconds: float | None = None
    """From its acceptance to its end, or to where it stands; None where time is not the test's own."""
    context: JsonValue | msgspec.UnsetType = msgspec.UNSET
    """What `$context` was at the end; only known where the state can be looked into."""

    @property
    def emitted(self) -> list[JsonValue]:
        """The CloudEvents that it emitted."""
        return [fact.data["event"] for fact in self.facts if fact.kind == _EMITTED]

    def tasks(self, kind: str) -> list[str]:
        """References of the tasks that facts of one kind are about, in order."""
        return [fact.task for fact in self.facts if fact.task and fact.kind == kind]

    def described(self) -> str:
        """Everything that happened, one line each; that a task's turn has come says nothing more than that it began."""
        told = (fact for fact in self.facts if fact.kind != "created")
        lines = [f"  {fact.kind:<18} {fact.task or 'the workflow'}" for fact in told]
        return "\n".join(["what happened:", *lines])


def fact_of(type_: str, data: dict[str, JsonValue]) -> Fact:
    """The fact that an event of the public history tells."""
    kind = type_.removesuffix(".v1").rpartition(".")[2].removeprefix("task-")
    return Fact(type_, kind, str(data.get("task", "")) if _about_task(type_, data) else "", data)


def _about_task(type_: str, data: dict[str, JsonValue]) -> bool:
    # A retried execution names the task it began with; the fact is the workflow's all the same.
    return "workflow" in data and not type_.startswith("io.serverlessworkflow.workflow.")
