"""What ``run`` runs, after parsing.

Source: Open Workflow Specification, DSL reference, "Run", "Container Process", "Script Process", "Shell Process",
"Container Lifetime".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from workflow_service.domain.definition.task_members import Duration, ExternalResource, TaskBase
from workflow_service.domain.expressions import Template

LATEST: Final = "latest"
"""The version that stands for the newest one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTask(TaskBase):
    """What all kinds of ``run`` have in common."""

    awaited: bool = True
    """Whether the task lasts until what it runs has ended; else its output is its input."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWorkflowTask(RunTask):
    """Runs another workflow."""

    namespace: Template
    workflow: Template
    """Its name."""
    version: Template
    """Comes to LATEST where the author left it out."""
    input: Template | None = None
    """None: no input at all."""
    silent: bool = False
    """Whether its output is not the task's; what else a process may return, a workflow does not have."""


Returns: TypeAlias = Literal["stdout", "stderr", "code", "all", "none"]
"""What a process comes to as the output of its task."""

Language: TypeAlias = Literal["js", "python"]
Pull: TypeAlias = Literal["ifNotPresent", "always", "never"]
Cleanup: TypeAlias = Literal["always", "never", "eventually"]
ProcessKind: TypeAlias = Literal["shell", "script", "container"]
PROCESS_KINDS: Final[tuple[ProcessKind, ...]] = ("shell", "script", "container")

Line: TypeAlias = "tuple[str | Template, ...]"
"""The line of a shell: text, and expressions whose values stand in it as text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProcessTask(RunTask):
    """Runs a process of this machine or in a container."""

    returns: Returns = "stdout"
    stdin: Template | None = None
    """None: there is nothing to read."""
    arguments: Template | None = None
    environment: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunShellTask(RunProcessTask):
    """Runs a line of the shell."""

    command: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class RunScriptTask(RunProcessTask):
    """Runs a script."""

    language: Language
    code: str = ""
    """As written: what looks like an expression in it is the script's own."""
    source: ExternalResource | None = None
    """Where the code is instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContainerTask(RunProcessTask):
    """Runs a container."""

    image: Template
    container: Template | None = None
    """Its name; None: one of ours."""
    command: Line | None = None
    """None: what the image runs by itself."""
    ports: Template | None = None
    """Ports of the container by those of the machine."""
    volumes: Template | None = None
    """Folders of the container by those of the machine."""
    pull: Pull = "ifNotPresent"
    cleanup: Cleanup = "never"
    cleanup_after: Duration | None = None
    """Set when it is cleaned up eventually."""
