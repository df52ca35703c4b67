"""The operator's container engine, spoken to through its command line: ``docker`` or ``podman``.

A container gets no network unless the operator says which, no privileges, bounded memory, processors and processes, and
only those folders of the machine that the operator allows. What an author gives reaches the engine as arguments of their
own, environment variables through a descriptor: none of it can be taken for an option.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from workflow_service.adapters.sandbox import Command, SandboxLimits
from workflow_service.adapters.sandbox.cages import Start, sealed
from workflow_service.domain.execution.effects import ContainerCall
from workflow_service.domain.execution.problem import Raised, configuration

OF_EFFECT: Final = "io.autoworker.effect"
"""Label: the effect that a container was run for."""
DELETE_AFTER: Final = "io.autoworker.delete-after"
"""Label: how many seconds after its end a container is deleted."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,254}", re.ASCII)
_IMAGE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./:@-]{0,499}", re.ASCII)
_PORT: Final = re.compile(r"[0-9]{1,5}(/(tcp|udp|sctp))?", re.ASCII)
_PULL: Final = {"ifNotPresent": "missing", "always": "always", "never": "never"}


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """What the operator lets containers do."""

    engine: str = "docker"
    """The engine's command, a name or a path."""
    network: str = "none"
    cpus: float = 1.0
    images: tuple[str, ...] = ("*",)
    """Patterns, one of which an image must match."""
    volumes: tuple[Path, ...] = ()
    """Folders within which volumes may lie."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What the engine's command finds its daemon and its credentials by."""


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """Starts the engine's command; a way to start commands as `sandbox.Cage` describes it."""

    limits: SandboxLimits
    settings: ContainerSettings
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the container; they are given in place of ``{environment}``."""

    @contextmanager
    def start(self, command: Command) -> Iterator[Start]:
        """Prepare *command*, whose program is what follows the engine's name."""
        lines = "".join(f"{name}={value}\n" for name, value in self.variables.items())
        with sealed("environment", lines.encode("utf-8", errors="replace")) as descriptor:
            given = f"--env-file=/dev/fd/{descriptor}"
            yield Start(
                program=(
                    self.settings.engine,
                    *(given if part == ENVIRONMENT else part for part in command.program),
                ),
                passed=(descriptor,),
                environment=dict(self.settings.environment),
            )


ENVIRONMENT: Final = "{environment}"
"""Stands for the option by which the engine is told the container's variables."""


def run_arguments(
    call: ContainerCall, effect: str, settings: ContainerSettings, limits: SandboxLimits
) -> tuple[str, ...]:
    """Return the engine's arguments that run *call*.

    Raises:
        Raised: what it asks for is not allowed here.
    """
    _check(call, settings)
    options = [
        *("run", "--name", call.name, "--label", f"{OF_EFFECT}={effect}"),
        *("--network", settings.network, "--log-driver", "none"),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--memory", str(limits.memory), "--memory-swap", str(limits.memory)),
        *("--cpus", f"{settings.cpus:g}", "--pids-limit", str(limits.processes)),
        *("--pull", _PULL[call.pull], ENVIRONMENT),
    ]
    if call.cleanup == "always":
        options.append("--rm")
    if call.cleanup == "eventually":
        options += ["--label", f"{DELETE_AFTER}={call.cleanup_after:g}"]
    if call.stdin is not None:
        options.append("--interactive")
    for outside, inside in call.ports.items():
        options += ["--publish", f"{outside}:{inside}"]
    for folder, place in call.volumes.items():
        options += ["--volume", _volume(folder, place, settings)]
    if call.command is None:
        return (*options, call.image, *call.arguments)
    line = ("-c", call.command, "sh", *call.arguments)
    return (*options, "--entrypoint", "/bin/sh", call.image, *line)


def _check(call: ContainerCall, settings: ContainerSettings) -> None:
    if _IMAGE.fullmatch(call.image) is None:
        raise Raised(configuration(f"{call.image[:80]!r} cannot be the name of an image"))
    if not any(fnmatchcase(call.image, pattern) for pattern in settings.images):
        told = (
            f"the image {call.image[:80]} is none of those that AUTOWORKER_CONTAINER_IMAGES allows"
        )
        raise Raised(configuration(told))
    if _NAME.fullmatch(call.name) is None:
        raise Raised(configuration(f"{call.name[:80]!r} cannot be the name of a container"))
    if call.ports and settings.network == "none":
        told = "ports need a network, and AUTOWORKER_CONTAINER_NETWORK gives containers none"
        raise Raised(configuration(told))
    for outside, inside in call.ports.items():
        if _PORT.fullmatch(outside) is None or _PORT.fullmatch(inside) is None:
            raise Raised(configuration("ports map a port of the machine to one of the container"))
    for name, value in call.environment.items():
        if not name or re.search(r"[=\s#]", name) or re.search(r"[\n\r\0]", value):
            told = f"the environment variable {name[:80]!r} has a name or a value that no container can be given"
            raise Raised(configuration(told))


def _volume(folder: str, place: str, settings: ContainerSettings) -> str:
    """Return the mapping of a volume, whose folder must lie where the operator allows it, also behind symbolic links."""
    inside, colon, mode = place.partition(":")
    if not inside.startswith("/") or (bool(colon) and mode != "ro"):
        raise Raised(
            configuration("a volume is mounted at an absolute path, with :ro if read-only")
        )
    real = Path(os.path.realpath(folder))
    allowed = Path(folder).is_absolute() and any(
        real.is_relative_to(os.path.realpath(root)) for root in settings.volumes
    )
    if not allowed or ":" in str(real):
        told = "a volume is not in one of the folders that AUTOWORKER_CONTAINER_VOLUMES allows"
        raise Raised(configuration(told))
    return f"{real}:{place}"
