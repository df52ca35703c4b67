"""The runner of processes: so many at a time, tenants in turns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.adapters.processes.outcomes import outcome_of, problem_of
from workflow_service.adapters.sandbox import Finished, SandboxError
from workflow_service.application.engine.slots import FairGate
from workflow_service.domain.definition.local_processes import disabled
from workflow_service.domain.definition.processes import ProcessKind
from workflow_service.domain.execution.effects import (
    ContainerCall,
    Effect,
    Failed,
    Outcome,
    ScriptCall,
    ShellCall,
    Succeeded,
)
from workflow_service.domain.execution.problem import Raised, configuration
from workflow_service.domain.execution.process_calls import AnyProcess

_log = get_logger("workflow_service.processes")

_KINDS: Mapping[type[AnyProcess], ProcessKind] = {
    ShellCall: "shell",
    ScriptCall: "script",
    ContainerCall: "container",
}


class ProcessRunner(Protocol):
    """Runs one kind of process to its end."""

    async def run(self, call: AnyProcess, effect: Effect) -> Finished:
        """Run *call*; being cancelled kills it.

        Raises:
            Raised: it cannot be run as it is configured.
            SandboxError: it was not run to its end.
        """
        ...


class ProcessEffects:
    """The ``Runner`` port for processes.

    Args:
        runners: of the kinds that the operator has enabled.
        at_once: how many run at the same time.
        supervisor: keeps those that nobody waits for.
    """

    def __init__(
        self,
        runners: Mapping[ProcessKind, ProcessRunner],
        *,
        at_once: int,
        supervisor: Supervisor,
    ) -> None:
        self._runners = runners
        self._gate = FairGate(at_once)
        self._supervisor = supervisor

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended; a process that is not awaited has only to begin."""
        call = effect.call
        if not isinstance(call, ShellCall | ScriptCall | ContainerCall):
            raise TypeError(f"{type(call).__name__} is not performed here")
        kind = _KINDS[type(call)]
        runner = self._runners.get(kind)
        if runner is None:
            return Failed(configuration(disabled(kind)))
        if call.awaited:
            async with self._gate.place(call.tenant, call.priority):
                return await _outcome(runner, call, effect)
        await self._gate.enter(call.tenant, call.priority)
        _ = self._supervisor.spawn("process", self._unawaited(runner, call, effect, execution))
        return Succeeded(None)

    async def _unawaited(
        self, runner: ProcessRunner, call: AnyProcess, effect: Effect, execution: str
    ) -> None:
        try:
            outcome = await _outcome(runner, call, effect)
        finally:
            self._gate.leave()
        if isinstance(outcome, Failed):
            reason = outcome.problem.type.rpartition("/")[2]
            _log.warning("process_failed", execution=execution, effect=effect.key, reason=reason)


async def _outcome(runner: ProcessRunner, call: AnyProcess, effect: Effect) -> Outcome:
    try:
        return outcome_of(await runner.run(call, effect), call.returns)
    except SandboxError as exc:
        return Failed(problem_of(exc))
    except Raised as raised:
        return Failed(raised.problem)
