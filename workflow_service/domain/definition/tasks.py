"""Task lists and the tasks in them, all kinds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, cast

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.calls import read_call
from workflow_service.domain.definition.compensation import COMPENSATED
from workflow_service.domain.definition.faults import error_variable, read_catch, read_raised
from workflow_service.domain.definition.listening import read_listen
from workflow_service.domain.definition.model import (
    DoTask,
    EmitTask,
    ErrorDefinition,
    ForkTask,
    ForTask,
    RaiseTask,
    Reference,
    SetTask,
    SwitchCase,
    SwitchTask,
    Task,
    TaskList,
    TryTask,
    WaitTask,
)
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.running import read_run
from workflow_service.domain.definition.task_base import BaseMembers, read_base, read_then
from workflow_service.domain.definition.vocabulary import COMPENSATE, entries, kinds_of, task_lists
from workflow_service.domain.expressions import Expression, JsonValue, Template, is_expression

_ATTRIBUTE = re.compile(r"[a-z0-9]+", re.ASCII)


def read_task_list(
    builder: Builder, tasks: JsonValue, pointer: str, scope: Scope, *, may_jump: bool = True
) -> TaskList:
    """Read the tasks at *pointer*; with *may_jump* they may name each other in ``then``."""
    found = list(entries(tasks))
    names = frozenset(name for _, name, _ in found) if may_jump else None
    inner = replace(scope, siblings=names)
    read: list[Task] = []
    for index, name, task in found:
        done = read_task(builder, task, name, child(pointer, index, name), inner)
        if done is not None:
            read.append(done)
    result = TaskList(pointer, tuple(read), {task.name: at for at, task in enumerate(read)})
    builder.lists[pointer] = result
    return result


def read_task(
    builder: Builder, task: dict[str, JsonValue], name: str, reference: Reference, scope: Scope
) -> Task | None:
    """Read one task, with all that is within it; None when it is malformed or refused."""
    kinds = kinds_of(task)
    if reference in builder.structure.unsound or len(kinds) != 1:
        for kind in kinds:
            _read_within(builder, kind, task, reference, scope)
        return None
    base = read_base(builder, task, name, reference, scope)
    reader = _READERS.get(kinds[0])
    if reader is None:
        builder.refused(f"task.{kinds[0]}", child(reference, kinds[0]))
        return None
    result = reader(builder, task, base, scope)
    if result is not None:
        builder.tasks[reference] = result
    return result


def _read_within(
    builder: Builder, kind: str, task: dict[str, JsonValue], reference: str, scope: Scope
) -> None:
    """Read the lists within a malformed task, for the problems in them."""
    for steps, tasks in task_lists(kind, task):
        inner = scope
        if kind == "for" and steps == ("do",):
            inner = scope.knowing(*_loop_variables(builder, task, reference))
        elif steps == ("catch", "do"):
            catch = cast("dict[str, JsonValue]", task["catch"])
            inner = scope.knowing(error_variable(builder, catch, child(reference, "catch")))
        elif steps == COMPENSATE:
            inner = scope.knowing(COMPENSATED)
        elif kind in ("listen", "call"):
            inner = scope.knowing("item", "index")
        read_task_list(builder, tasks, child(reference, *steps), inner, may_jump=kind != "fork")


def _do(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    do = read_task_list(builder, task["do"], child(base["reference"], "do"), scope)
    return DoTask(**base, do=do)


def _wait(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    duration = builder.duration(task["wait"], child(base["reference"], "wait"), scope)
    return WaitTask(**base, duration=duration)


def _set(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    value, place = task["set"], child(base["reference"], "set")
    if isinstance(value, str) and not is_expression(value) and not builder.loose:
        builder.problem(place, "must be an object, or an expression in ${ }")
    return SetTask(**base, value=builder.template(value, place, scope))


def _switch(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    pointer = child(base["reference"], "switch")
    cases: list[SwitchCase] = []
    default: str | None = None
    for index, name, case in entries(task["switch"]):
        place = child(pointer, index, name)
        when = case.get("when")
        if when is None:
            if default is not None:
                builder.problem(
                    place, f"has no 'when', like {default}: one case can be the default"
                )
            default = default or place
        condition: Expression | None = None
        if isinstance(when, str):
            condition = builder.expression(when, child(place, "when"), scope)
        then = read_then(builder, case.get("then"), child(place, "then"), scope)
        cases.append(SwitchCase(name, condition, then or ""))
    return SwitchTask(**base, cases=tuple(cases))


def _for(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    reference = base["reference"]
    loop = cast("dict[str, JsonValue]", task["for"])
    each, at = _loop_variables(builder, task, reference)
    inner = scope.knowing(each, at)
    items, place = loop["in"], child(reference, "for", "in")
    collection: Expression | Template
    if isinstance(items, str):
        collection = builder.expression(items, place, scope)
    else:
        collection = builder.template(items, place, scope)
    condition = task.get("while")
    return ForTask(
        **base,
        each=each,
        at=at,
        collection=collection,
        while_condition=builder.expression(condition, child(reference, "while"), inner)
        if isinstance(condition, str)
        else None,
        do=read_task_list(builder, task["do"], child(reference, "do"), inner),
    )


def _loop_variables(
    builder: Builder, task: dict[str, JsonValue], reference: str
) -> tuple[str, str]:
    loop = task.get("for")
    members = loop if isinstance(loop, dict) else {}
    each = builder.variable(members.get("each"), child(reference, "for", "each"), "item")
    at = builder.variable(members.get("at"), child(reference, "for", "at"), "index")
    if each == at:
        builder.problem(child(reference, "for"), f"'each' and 'at' are both {each!r}")
    return each, at


def _fork(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    fork = cast("dict[str, JsonValue]", task["fork"])
    pointer = child(base["reference"], "fork", "branches")
    # Branches run side by side: there is no next one that a `then` could choose.
    branches = read_task_list(builder, fork["branches"], pointer, scope, may_jump=False)
    width, limit = len(branches.tasks), builder.limits.fork_width
    if width > limit:
        told = f"has {width} branches; a fork may have at most {limit}"
        builder.problem(pointer, beyond(told, "definition_fork_width"))
    return ForkTask(**base, branches=branches, compete=fork.get("compete") is True)


def _try(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    pointer = child(base["reference"], "catch")
    catch = cast("dict[str, JsonValue]", task["catch"])
    attempt = read_task_list(builder, task["try"], child(base["reference"], "try"), scope)
    then = read_then(builder, catch.get("then"), child(pointer, "then"), scope)
    return TryTask(**base, attempt=attempt, catch=read_catch(builder, catch, pointer, scope, then))


def _raise(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    raised = cast("dict[str, JsonValue]", task["raise"])
    place = child(base["reference"], "raise", "error")
    error: ErrorDefinition | None = read_raised(builder, raised["error"], place, scope)
    return None if error is None else RaiseTask(**base, error=error)


def _emit(builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope) -> Task:
    pointer = child(base["reference"], "emit", "event", "with")
    event = cast("dict[str, JsonValue]", cast("dict[str, JsonValue]", task["emit"])["event"])
    attributes = event.get("with")
    if not isinstance(attributes, dict):
        builder.problem(pointer, "is required: it has the attributes of the event")
        attributes = {}
    for name in attributes:
        if _ATTRIBUTE.fullmatch(name) is None:
            builder.problem(
                child(pointer, name),
                "names of CloudEvents attributes are lower-case letters and digits",
            )
    if attributes.get("specversion", "1.0") != "1.0":
        builder.problem(child(pointer, "specversion"), "must be 1.0")
    return EmitTask(**base, event=builder.template(attributes, pointer, scope))


_READERS: Final[
    Mapping[str, Callable[[Builder, dict[str, JsonValue], BaseMembers, Scope], Task | None]]
] = {
    "call": read_call,
    "do": _do,
    "emit": _emit,
    "for": _for,
    "fork": _fork,
    "listen": read_listen,
    "raise": _raise,
    "run": read_run,
    "set": _set,
    "switch": _switch,
    "try": _try,
    "wait": _wait,
}
"""How each kind is read; a kind without a reader has its row in NOT_YET."""
