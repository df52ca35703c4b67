"""What all kinds of tasks have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.compensation import read_compensation
from workflow_service.domain.definition.data_flow import read_data_flow, read_timeout
from workflow_service.domain.definition.model import (
    CONTINUE,
    END,
    EXIT,
    DataFlow,
    Duration,
    Reference,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.vocabulary import known_are
from workflow_service.domain.expressions import Expression, JsonValue


class BaseMembers(TypedDict):
    """The members of `model.TaskBase`."""

    name: str
    reference: Reference
    document: Mapping[str, JsonValue]
    condition: Expression | None
    data_flow: DataFlow
    timeout: Duration | None
    compensable: bool
    then: str


def read_base(
    builder: Builder, task: dict[str, JsonValue], name: str, reference: Reference, scope: Scope
) -> BaseMembers:
    """Read the members that every task may have."""
    condition = task.get("if")
    return BaseMembers(
        name=name,
        reference=reference,
        document=task,
        condition=builder.expression(condition, child(reference, "if"), scope)
        if isinstance(condition, str)
        else None,
        data_flow=read_data_flow(builder, task, reference, scope),
        timeout=read_timeout(builder, task, reference, scope),
        compensable=read_compensation(builder, task, name, reference, scope),
        then=read_then(builder, task.get("then"), child(reference, "then"), scope) or CONTINUE,
    )


def read_then(builder: Builder, then: JsonValue, pointer: str, scope: Scope) -> str | None:
    """Read a flow directive: a task it names must be in the same list."""
    if not isinstance(then, str) or then in (CONTINUE, EXIT, END):
        return then if isinstance(then, str) else None
    if scope.siblings is None:
        builder.problem(
            pointer, f"must be {CONTINUE}, {EXIT} or {END}: here is no list to go on in"
        )
    elif then not in scope.siblings:
        elsewhere = builder.structure.names.get(then)
        hint = known_are(then, tuple(sorted(scope.siblings)))
        if elsewhere:
            reason = f"the task {then[:80]!r} is in another list ({elsewhere[0]})"
            builder.problem(pointer, f"{reason}: 'then' can only go to a task of its own; {hint}")
        else:
            builder.problem(pointer, f"there is no task {then[:80]!r} in this list; {hint}")
    return then
