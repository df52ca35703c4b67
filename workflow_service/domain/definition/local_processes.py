"""``run``: shell commands, scripts and containers.

Source: Open Workflow Specification, DSL reference, "Container Process", "Script Process", "Shell Process".
"""

from __future__ import annotations

import re
from typing import Final, TypedDict, cast

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_resource
from workflow_service.domain.definition.model import Task
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.processes import (
    Cleanup,
    Language,
    Line,
    ProcessKind,
    Pull,
    Returns,
    RunContainerTask,
    RunScriptTask,
    RunShellTask,
)
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.definition.task_members import Duration
from workflow_service.domain.expressions import JsonValue, Template
from workflow_service.domain.expressions.tokens import closing_brace

_LANGUAGES: Final = ("js", "python")
_OF_THE_SHELL: Final = re.compile(r"\$\{(?:[A-Za-z_0-9#?!@*-]|\$\})", re.ASCII)
"""How a parameter of the shell begins, such as ${HOME} or ${1:-none}; expressions of authors begin with none of these."""

SETTING: Final = "AUTOWORKER_RUN"
_DONE: Final = {"shell": "shell commands", "script": "scripts", "container": "containers"}


def disabled(kind: ProcessKind) -> str:
    """Return the message that refuses a kind of process which the operator has not enabled."""
    return (
        f"feature_disabled: running {_DONE[kind]} is off here; the operator turns it on with"
        f" {SETTING}={kind}"
    )


def read_shell(
    builder: Builder, run: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    """Read ``run.shell``; None when it is off."""
    shell, place = _members(run, base, "shell")
    if _is_off(builder, "shell", place):
        return None
    return RunShellTask(
        **base,
        **_process(builder, run, shell, place, scope),
        command=_line(builder, shell["command"], child(place, "command"), scope),
    )


def read_script(
    builder: Builder, run: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    """Read ``run.script``; None when it is off or malformed."""
    script, place = _members(run, base, "script")
    if _is_off(builder, "script", place):
        return None
    language = str(script["language"])
    if language not in _LANGUAGES:
        told = f"{language[:40]!r} is not a language that scripts can have: js or python"
        builder.problem(child(place, "language"), told)
        return None
    source = script.get("source")
    return RunScriptTask(
        **base,
        **_process(builder, run, script, place, scope),
        language=cast("Language", language),
        code=str(script.get("code", "")),
        source=None
        if source is None
        else read_resource(builder, source, child(place, "source"), scope),
    )


def read_container(
    builder: Builder, run: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> Task | None:
    """Read ``run.container``; None when it is off."""
    container, place = _members(run, base, "container")
    if _is_off(builder, "container", place):
        return None

    def part(name: str) -> Template | None:
        if name not in container:
            return None
        return builder.template(container[name], child(place, name), scope)

    command = container.get("command")
    cleanup, after = _lifetime(builder, container, place, scope)
    return RunContainerTask(
        **base,
        **_process(builder, run, container, place, scope),
        image=builder.template(container["image"], child(place, "image"), scope),
        container=part("name"),
        command=None
        if command is None
        else _line(builder, command, child(place, "command"), scope),
        ports=part("ports"),
        volumes=part("volumes"),
        pull=cast("Pull", container.get("pullPolicy", "ifNotPresent")),
        cleanup=cleanup,
        cleanup_after=after,
    )


class _Process(TypedDict):
    """The members of `processes.RunProcessTask`."""

    awaited: bool
    returns: Returns
    stdin: Template | None
    arguments: Template | None
    environment: Template | None


def _process(
    builder: Builder,
    run: dict[str, JsonValue],
    process: dict[str, JsonValue],
    place: str,
    scope: Scope,
) -> _Process:
    def part(name: str) -> Template | None:
        if name not in process:
            return None
        return builder.template(process[name], child(place, name), scope)

    return _Process(
        awaited=run.get("await") is not False,
        returns=cast("Returns", run.get("return", "stdout")),
        stdin=part("stdin"),
        arguments=part("arguments"),
        environment=part("environment"),
    )


def _members(
    run: dict[str, JsonValue], base: BaseMembers, kind: str
) -> tuple[dict[str, JsonValue], str]:
    return cast("dict[str, JsonValue]", run[kind]), child(base["reference"], "run", kind)


def _is_off(builder: Builder, kind: ProcessKind, place: str) -> bool:
    if builder.processes is None or kind in builder.processes:
        return False
    builder.problem(place, disabled(kind))
    return True


def _lifetime(
    builder: Builder, container: dict[str, JsonValue], place: str, scope: Scope
) -> tuple[Cleanup, Duration | None]:
    lifetime = container.get("lifetime")
    if not isinstance(lifetime, dict):
        return "never", None
    after = lifetime.get("after")
    return cast("Cleanup", lifetime["cleanup"]), None if after is None else builder.duration(
        after, child(place, "lifetime", "after"), scope
    )


def _line(builder: Builder, command: JsonValue, pointer: str, scope: Scope) -> Line:
    """Split a line of the shell into text and expressions; ``${NAME}`` and its like stay the shell's own."""
    text, parts, at = str(command), list[str | Template](), 0
    begin = text.find("${")
    while begin >= 0:
        end = None if _OF_THE_SHELL.match(text, begin) else closing_brace(text, begin + 2)
        if end is None:
            begin = text.find("${", begin + 2)
            continue
        parts += [
            text[at:begin],
            builder.template(text[begin : end + 1], pointer, scope),
        ]
        at = end + 1
        begin = text.find("${", at)
    return tuple(part for part in (*parts, text[at:]) if part != "")
