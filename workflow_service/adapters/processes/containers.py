"""Runs containers, and deletes those whose time has come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from chassis.clock import Clock
from chassis.telemetry.logging import get_logger
from workflow_service.adapters.processes.commands import KEY
from workflow_service.adapters.processes.engine import (
    DELETE_AFTER,
    OF_EFFECT,
    ContainerSettings,
    EngineCommand,
    run_arguments,
)
from workflow_service.adapters.sandbox import Command, Finished, SandboxError, SandboxLimits, run
from workflow_service.domain.execution.effects import ContainerCall, Effect
from workflow_service.domain.execution.problem import Raised, runtime
from workflow_service.domain.execution.process_calls import AnyProcess

_log = get_logger("workflow_service.containers")

_REFUSED: Final = 125
"""The exit code of the engine's command when it could not run the container."""
_PATIENCE: Final = 30.0
"""Seconds for the engine to list, kill or delete."""
_SWEEP: Final = 60.0


class _State(msgspec.Struct, rename="pascal"):
    running: bool = False
    finished_at: datetime | None = None


class _Config(msgspec.Struct, rename="pascal"):
    labels: dict[str, str] = {}


class _Container(msgspec.Struct, rename="pascal"):
    id: str
    state: _State
    config: _Config


@dataclass(frozen=True, slots=True)
class Containers:
    """The runner of containers."""

    settings: ContainerSettings
    limits: SandboxLimits

    async def run(self, call: AnyProcess, effect: Effect) -> Finished:
        """Run *call* to its end; being cancelled kills the container.

        Raises:
            Raised: it asks for what is not allowed, or the engine could not run it.
            SandboxError: it was not run to its end.
        """
        if not isinstance(call, ContainerCall):
            raise TypeError("only containers are run by a container engine")
        mark = f"{effect.key}#{effect.number}"
        arguments = run_arguments(call, mark, self.settings, self.limits)
        stdin = None if call.stdin is None else call.stdin.encode("utf-8", errors="replace")
        command = EngineCommand(self.limits, self.settings, {KEY: effect.key, **call.environment})
        # What an effect that is repeated after a crash has left, may still run.
        await self.remove(f"{OF_EFFECT}={mark}")
        ended = False
        try:
            finished = await run(command, Command(arguments, stdin=stdin))
            ended = True
        finally:
            if not ended:
                await asyncio.shield(self._kill(call.name))
        if finished.code == _REFUSED:
            raise Raised(runtime(f"the container engine could not run it: {_last_line(finished)}"))
        return finished

    async def remove(self, label: str) -> None:
        """Delete every container with *label*, running or not."""
        found = await self._engine("ps", "--all", "--quiet", "--filter", f"label={label}")
        for container in found.stdout.decode().split():
            _ = await self._engine("rm", "--force", "--volumes", container)

    async def keep_swept(self, clock: Clock) -> None:
        """Delete, for ever, what was to be deleted eventually."""
        while True:
            try:
                await self.sweep(clock.now())
            except SandboxError as exc:
                _log.warning("containers_not_swept", reason=str(exc))
            await asyncio.sleep(_SWEEP)

    async def sweep(self, now: datetime) -> None:
        """Delete the containers that ended long enough ago.

        Raises:
            SandboxError: the engine's command cannot be started.
        """
        found = await self._engine("ps", "--all", "--quiet", "--filter", f"label={DELETE_AFTER}")
        ids = found.stdout.decode().split()
        if not ids:
            return
        told = await self._engine("inspect", *ids)
        for container in _due(told.stdout, now):
            _ = await self._engine("rm", "--force", "--volumes", container)

    async def _kill(self, name: str) -> None:
        try:
            _ = await self._engine("kill", name)
        except SandboxError as exc:
            _log.warning("container_not_killed", container=name, reason=str(exc))

    async def _engine(self, *arguments: str) -> Finished:
        limits = replace(self.limits, seconds=_PATIENCE)
        return await run(EngineCommand(limits, self.settings), Command(arguments))


def _due(told: bytes, now: datetime) -> Iterator[str]:
    try:
        containers = msgspec.json.decode(told, type=list[_Container])
    except msgspec.DecodeError:
        _log.warning("containers_not_swept", reason="the engine's answer cannot be read")
        return
    for container in containers:
        ended, after = container.state.finished_at, container.config.labels.get(DELETE_AFTER)
        if container.state.running or ended is None or after is None:
            continue
        if ended + timedelta(seconds=float(after)) <= now:
            yield container.id


def _last_line(finished: Finished) -> str:
    lines = finished.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1][-300:] if lines else "it said nothing"
