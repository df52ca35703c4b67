"""Halt an execution until somebody resumes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.audit import SettlingAudit, SilentAudit
from workflow_service.application.asked import asked
from workflow_service.application.caller import Caller, changeable
from workflow_service.application.engine.engine import Engine
from workflow_service.application.ports import Summaries, Summary
from workflow_service.domain.execution.commands import Suspend


@dataclass(frozen=True, slots=True)
class SuspendExecution:
    """Suspend; what is under way ends, and its outcome is kept for the resumption."""

    caller: Caller
    execution: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SuspendExecutionHandler:
    """Timers stand still from here on."""

    engine: Engine
    summaries: Summaries
    audit: SettlingAudit = field(default_factory=SilentAudit)

    async def __call__(self, command: SuspendExecution) -> Summary:
        """Suspend.

        Raises:
            ExecutionNotFound: there is none, or not for the caller.
            CommandRefused: its phase does not allow it.
            Unavailable: the store cannot commit now.
        """
        await changeable(self.summaries, command.caller, command.execution)
        await asked(self.audit, "suspend", command.caller, command.execution, command.reason)
        stimulus = Suspend(command.reason, command.caller.id)
        return await self.engine.stimulate(command.execution, stimulus)
