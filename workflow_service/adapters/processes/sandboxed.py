"""Runs shell lines and scripts in the sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.adapters.processes.commands import Commands
from workflow_service.adapters.sandbox import Cage, Finished, run
from workflow_service.domain.execution.effects import ContainerCall, Effect
from workflow_service.domain.execution.process_calls import AnyProcess


@dataclass(frozen=True, slots=True)
class SandboxedProcesses:
    """The runner of shell lines and scripts."""

    cage: Cage
    commands: Commands

    async def run(self, call: AnyProcess, effect: Effect) -> Finished:
        """Run *call* to its end, or until it is cancelled."""
        if isinstance(call, ContainerCall):
            raise TypeError("containers are run by a container engine")
        return await run(self.cage, await self.commands.of(call, effect.key))
