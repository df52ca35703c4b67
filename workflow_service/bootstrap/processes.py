"""What runs processes, each kind that the operator has enabled."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.config import SettingsInvalid
from chassis.lifecycle import Supervisor
from workflow_service.adapters.processes.commands import Commands
from workflow_service.adapters.processes.containers import Containers
from workflow_service.adapters.processes.effects import ProcessEffects, ProcessRunner
from workflow_service.adapters.processes.engine import ContainerSettings
from workflow_service.adapters.processes.sandboxed import SandboxedProcesses
from workflow_service.adapters.sandbox import (
    Cage,
    SandboxLimits,
    SandboxUnusable,
    javascript,
    open_sandbox,
    python,
)
from workflow_service.application.resource_ports import Resources
from workflow_service.config import ProcessSettings, Settings
from workflow_service.domain.definition.processes import Language, ProcessKind


@dataclass(frozen=True, slots=True)
class Processes:
    """The runner, and what must be swept for it."""

    effects: ProcessEffects
    containers: Containers | None
    commands: Cage | None
    """Around commands of authors; None where they may not run any."""

    async def keep_swept(self, clock: Clock) -> None:
        """Delete containers whose time has come, as long as the service lives."""
        if self.containers is not None:
            await self.containers.keep_swept(clock)


async def processes(settings: Settings, resources: Resources, supervisor: Supervisor) -> Processes:
    """Return what runs processes.

    Raises:
        SettingsInvalid: a kind is enabled that cannot be run safely on this machine.
    """
    chosen = settings.processes
    runners: dict[ProcessKind, ProcessRunner] = {}
    commands: Cage | None = None
    if chosen.enabled & {"shell", "script"}:
        cage = await _sandbox(settings)
        commands = cage if "shell" in chosen.enabled else None
        inside = SandboxedProcesses(cage, await _commands(cage, chosen, resources))
        runners |= {kind: inside for kind in ("shell", "script") if kind in chosen.enabled}
    containers = _containers(chosen, limits_of(settings)) if "container" in chosen.enabled else None
    if containers is not None:
        runners["container"] = containers
    effects = ProcessEffects(runners, at_once=chosen.at_once, supervisor=supervisor)
    return Processes(effects, containers, commands)


async def _sandbox(settings: Settings) -> Cage:
    try:
        return await open_sandbox(
            limits_of(settings),
            uid=settings.processes.uid,
            hidden=(settings.data_dir, settings.store_dir),
            insecure=settings.insecure_dev,
            groups=settings.processes.groups,
        )
    except SandboxUnusable as exc:
        raise SettingsInvalid([f"AUTOWORKER_RUN: {exc}"]) from exc


async def _commands(cage: Cage, chosen: ProcessSettings, resources: Resources) -> Commands:
    if "script" not in chosen.enabled:
        return Commands({}, resources)
    found = {"python": await python(cage, chosen.python), "js": await javascript(cage, chosen.node)}
    named = {
        "AUTOWORKER_RUN_PYTHON": ("python", chosen.python),
        "AUTOWORKER_RUN_NODE": ("js", chosen.node),
    }
    broken = [
        f"{setting}: it does not run in the sandbox"
        for setting, (language, path) in named.items()
        if path is not None and found[language] is None
    ]
    if broken:
        raise SettingsInvalid(broken)
    languages: tuple[Language, ...] = ("js", "python")
    return Commands({each: known for each in languages if (known := found[each])}, resources)


def _containers(chosen: ProcessSettings, limits: SandboxLimits) -> Containers:
    engine = shutil.which(chosen.engine)
    if engine is None:
        told = f"AUTOWORKER_CONTAINER_ENGINE: {chosen.engine} is not on PATH; install a container engine or name it"
        raise SettingsInvalid([told])
    settings = ContainerSettings(
        engine=engine,
        network=chosen.network,
        cpus=chosen.cpus,
        images=chosen.images,
        volumes=chosen.volumes,
        environment=chosen.engine_environment,
    )
    return Containers(settings, limits)


def limits_of(settings: Settings) -> SandboxLimits:
    """Return the bounds of one command."""
    chosen = settings.processes
    return SandboxLimits(
        seconds=chosen.timeout,
        cpu_seconds=chosen.cpu_seconds,
        memory=chosen.memory,
        total_memory=chosen.total_memory,
        processes=chosen.processes,
        disk=chosen.disk,
        input=settings.bounds.execution.input_bytes,
        output=chosen.output,
    )
