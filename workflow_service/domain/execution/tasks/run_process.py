"""``run``: shell commands, scripts and containers.

Source: Open Workflow Specification, DSL reference, "Run", "Container Process", "Script Process", "Shell Process".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias, TypedDict
from uuid import NAMESPACE_OID, uuid5

import msgspec

from workflow_service.domain.definition.processes import Returns
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.process_calls import ContainerCall, ScriptCall, ShellCall
from workflow_service.domain.execution.tasks.leaf import Leaf
from workflow_service.domain.execution.tasks.parts import mapping, resource, word

if TYPE_CHECKING:
    from workflow_service.domain.definition.processes import (
        Line,
        RunContainerTask,
        RunScriptTask,
        RunShellTask,
    )
    from workflow_service.domain.execution.advance import Advance
    from workflow_service.domain.execution.data_flow import Arguments
    from workflow_service.domain.execution.state import Frame
    from workflow_service.domain.expressions import JsonValue, Template

    AnyTask: TypeAlias = RunShellTask | RunScriptTask | RunContainerTask

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_PART: Final = 60


class RunShell(Leaf):
    """Asks for one line of the shell to be run."""

    def begin(self, advance: Advance, frame: Frame, task: RunShellTask) -> None:
        """Evaluate the line and what goes with it, and ask for it."""
        command = _line(task.command, frame.input, advance.arguments(frame, task))
        call = ShellCall(command=command, **_process(advance, frame, task))
        _bounded(advance, call)
        advance.perform(frame, task, call)


class RunScript(Leaf):
    """Asks for one script to be run."""

    def begin(self, advance: Advance, frame: Frame, task: RunScriptTask) -> None:
        """Evaluate what goes with the script, and ask for it."""
        arguments = advance.arguments(frame, task)
        call = ScriptCall(
            language=task.language,
            code=task.code,
            source=None if task.source is None else resource(task.source, frame.input, arguments),
            **_process(advance, frame, task),
        )
        _bounded(advance, call)
        advance.perform(frame, task, call)


class RunContainer(Leaf):
    """Asks for one container to be run."""

    def begin(self, advance: Advance, frame: Frame, task: RunContainerTask) -> None:
        """Evaluate the container and what goes with it, and ask for it."""
        arguments, data = advance.arguments(frame, task), frame.input
        call = ContainerCall(
            image=word(task.image, data, arguments, "the image"),
            name=_name(advance, frame, task)
            if task.container is None
            else word(task.container, data, arguments, "the name of the container"),
            command=None if task.command is None else _line(task.command, data, arguments),
            ports=_texts(task.ports, data, arguments, "ports"),
            volumes=_texts(task.volumes, data, arguments, "volumes"),
            pull=task.pull,
            cleanup=task.cleanup,
            cleanup_after=_cleanup_after(advance, frame, task),
            **_process(advance, frame, task),
        )
        _bounded(advance, call)
        advance.perform(frame, task, call)


class _Process(TypedDict):
    """The members of `process_calls.ProcessCall`."""

    returns: Returns
    stdin: str | None
    arguments: list[str]
    environment: dict[str, str]
    awaited: bool
    tenant: str
    priority: int


def _process(advance: Advance, frame: Frame, task: AnyTask) -> _Process:
    given, data = advance.arguments(frame, task), frame.input
    stdin = None if task.stdin is None else data_flow.render(task.stdin, data, given)
    argv = [] if task.arguments is None else data_flow.render(task.arguments, data, given)
    return _Process(
        returns=task.returns,
        stdin=None if stdin is None else _text(stdin),
        arguments=[_text(each) for each in argv] if isinstance(argv, list) else [_text(argv)],
        environment=_texts(task.environment, data, given, "environment"),
        awaited=task.awaited,
        tenant=advance.opened.tenant,
        priority=advance.opened.priority,
    )


def _bounded(advance: Advance, call: ShellCall | ScriptCall | ContainerCall) -> None:
    given: JsonValue = msgspec.to_builtins(call)
    data_flow.bounded(given, advance.limits.input_bytes, "what the process is given", "input_bytes")


def _cleanup_after(advance: Advance, frame: Frame, task: RunContainerTask) -> float:
    if task.cleanup_after is None:
        return 0.0
    arguments, longest = advance.arguments(frame, task), advance.limits.longest_delay
    return data_flow.seconds(task.cleanup_after, frame.input, arguments, longest)


def _name(advance: Advance, frame: Frame, task: RunContainerTask) -> str:
    """Return the name that the standard recommends, the same for every repetition of one attempt."""
    opened = advance.opened
    unique = uuid5(NAMESPACE_OID, f"{opened.execution}:{frame.id}:{opened.effects + 1}")
    workflow, namespace, name = (
        _NOT_IN_NAMES.sub("-", part)[:_LONGEST_PART]
        for part in (opened.name, opened.namespace, task.name)
    )
    return f"{workflow}-{unique}.{namespace}-{name}"


def _line(line: Line, data: JsonValue, arguments: Arguments) -> str:
    return "".join(
        part if isinstance(part, str) else _text(data_flow.render(part, data, arguments))
        for part in line
    )


def _texts(
    wanted: Template | None, data: JsonValue, arguments: Arguments, what: str
) -> dict[str, str]:
    """Return an object's members as texts, without those that came to null."""
    found = mapping(wanted, data, arguments, what)
    return {name: _text(value) for name, value in found.items() if value is not None}


def _text(value: JsonValue) -> str:
    """Return a text as it is, and everything else as JSON."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
