"""Let a suspended execution go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from chassis.audit import SettlingAudit, SilentAudit
from workflow_service.application.asked import asked
from workflow_service.application.caller import Caller, changeable
from workflow_service.application.engine.engine import Engine
from workflow_service.application.ports import Summaries, Summary
from workflow_service.domain.execution.commands import Resume


@dataclass(frozen=True, slots=True)
class ResumeExecution:
    """Resume; outcomes that came meanwhile are used, and timers that fell due fire."""

    caller: Caller
    execution: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ResumeExecutionHandler:
    """Goes on where it was halted."""

    engine: Engine
    summaries: Summaries
    audit: SettlingAudit = field(default_factory=SilentAudit)

    async def __call__(self, command: ResumeExecution) -> Summary:
        """Resume.

        Raises:
            ExecutionNotFound: there is none, or not for the caller.
            CommandRefused: its phase does not allow it.
            Unavailable: the store cannot commit now.
        """
        await changeable(self.summaries, command.caller, command.execution)
        await asked(self.audit, "resume", command.caller, command.execution, command.reason)
        stimulus = Resume(command.reason, command.caller.id)
        return await self.engine.stimulate(command.execution, stimulus)
