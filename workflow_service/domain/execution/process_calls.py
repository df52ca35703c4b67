"""Processes to run, every expression already evaluated.

Source: Open Workflow Specification, DSL reference, "Container Process", "Script Process", "Shell Process",
"Process Result".
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from workflow_service.domain.definition.processes import Cleanup, Language, Pull, Returns
from workflow_service.domain.execution.credentials import Resource


class ProcessCall(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What all of them have in common."""

    returns: Returns = "stdout"
    stdin: str | None = None
    arguments: list[str] = []
    environment: dict[str, str] = {}
    awaited: bool = True
    """Whether the outcome is that of the process; else it is that the process has begun."""
    tenant: str = ""
    """Tenants take turns where only so many processes run at a time."""
    priority: int = 0


class ShellCall(ProcessCall, frozen=True, tag="shell", omit_defaults=True, kw_only=True):
    """Runs a line of the shell."""

    command: str


class ScriptCall(ProcessCall, frozen=True, tag="script", omit_defaults=True, kw_only=True):
    """Runs a script."""

    language: Language
    code: str = ""
    source: Resource | None = None
    """Where the code is instead."""


class ContainerCall(ProcessCall, frozen=True, tag="container", omit_defaults=True, kw_only=True):
    """Runs a container."""

    image: str
    name: str
    command: str | None = None
    """A line of the shell; None: what the image runs by itself."""
    ports: dict[str, str] = {}
    volumes: dict[str, str] = {}
    pull: Pull = "ifNotPresent"
    cleanup: Cleanup = "never"
    cleanup_after: float = 0.0
    """Seconds after its end at which it is deleted, if that is to happen eventually."""


AnyProcess: TypeAlias = ShellCall | ScriptCall | ContainerCall
