"""Faults of a user's workflow, as the DSL describes them: problem details, never exceptions of ours.

Source: Open Workflow Specification, DSL reference, "Error" and "Standard Error Types"; RFC 9457.
"""

from __future__ import annotations

from typing import Final

import msgspec

from workflow_service.domain.expressions import JsonValue

ERRORS: Final = "https://serverlessworkflow.io/spec/1.0.0/errors/"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One error: what kind, how bad, where."""

    type: str
    status: int
    title: str | None = None
    detail: str | None = None
    instance: str | None = None
    """JSON Pointer of the component that the error comes from."""

    def at(self, instance: str) -> Problem:
        """Return the same problem, placed at *instance* unless it already has a place."""
        if self.instance is not None:
            return self
        return msgspec.structs.replace(self, instance=instance)

    def as_json(self) -> dict[str, JsonValue]:
        """Return it as expressions see it: members that are not set are absent."""
        members: dict[str, JsonValue] = msgspec.structs.asdict(self)
        return {name: value for name, value in members.items() if value is not None}


class Raised(Exception):
    """Carries a problem from where it arises to the task that it faults; never leaves the core."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title or problem.type)
        self.problem = problem


def configuration(detail: str) -> Problem:
    """Say that the definition asks for something that cannot be done as configured."""
    return Problem(ERRORS + "configuration", 400, "Configuration Error", detail)


def authorization(detail: str) -> Problem:
    """Say that something may not be used, or is not there for this execution."""
    return Problem(ERRORS + "authorization", 403, "Authorization Error", detail)


def validation(detail: str) -> Problem:
    """Say that data does not match its schema."""
    return Problem(ERRORS + "validation", 400, "Validation Error", detail)


def expression(detail: str) -> Problem:
    """Say that a runtime expression failed."""
    return Problem(ERRORS + "expression", 400, "Expression Error", detail)


def timeout(detail: str) -> Problem:
    """Say that a task or the workflow took too long."""
    return Problem(ERRORS + "timeout", 408, "Timeout", detail)


def runtime(detail: str) -> Problem:
    """Say that the engine reached one of its limits or could not go on."""
    return Problem(ERRORS + "runtime", 500, "Runtime Error", detail)


def communication(detail: str, status: int = 500) -> Problem:
    """Say that whoever is called cannot be reached, or gave no answer that can be used."""
    return Problem(ERRORS + "communication", status, "Communication failed", detail)
