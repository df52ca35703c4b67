"""End an execution, whatever its size: its history is never loaded for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from chassis.audit import SettlingAudit, SilentAudit
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger
from workflow_service.application.asked import asked
from workflow_service.application.caller import Caller, ExecutionNotFound
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.load_execution import ExecutionVanished, LoadExecution
from workflow_service.application.ports import (
    Commit,
    EventStore,
    Head,
    StaleOwner,
    Summary,
    VersionConflict,
)
from workflow_service.domain.execution.commands import Cancel
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.listening import ALL_REMOVED
from workflow_service.domain.execution.state import HistoryBroken
from workflow_service.domain.execution.workflow_events import WorkflowCancelled

_log = get_logger("workflow_service.cancel")

_BOLD_ATTEMPTS = 2
"""How often it is tried beside a decision that is being made, which may take long."""
_PATIENT_ATTEMPTS = 20
"""How often then in a turn of its own, so that only another process can be faster."""


@dataclass(frozen=True, slots=True)
class CancelExecution:
    """Cancel; effects under way are stopped, their outcomes ignored.

    What can be undone is undone first; cancelling again while that goes on ends it at once.
    """

    caller: Caller
    execution: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CancelExecutionHandler:
    """Ends the history at its tip; who commits first, this or the execution itself, decides the race."""

    engine: Engine
    store: EventStore
    clock: Clock
    load: LoadExecution
    audit: SettlingAudit = field(default_factory=SilentAudit)

    async def __call__(self, command: CancelExecution) -> Summary:
        """Cancel.

        Raises:
            ExecutionNotFound: there is none, or not for the caller.
            CommandRefused: it has ended.
            Unavailable: the store cannot commit now.
        """
        summary = await self._undoing(command)
        if summary is not None:
            return summary
        for _ in range(_BOLD_ATTEMPTS):
            summary = await self._attempt(command)
            if summary is not None:
                return summary
        for _ in range(_PATIENT_ATTEMPTS):
            async with self.engine.turn(command.execution):
                summary = await self._attempt(command)
            if summary is not None:
                return summary
        raise Unavailable("the execution is changing too fast; try again", retry_after=1.0)

    async def _undoing(self, command: CancelExecution) -> Summary | None:
        """Let an execution whose definition can undo tasks do so; None for all others, whose history is not needed."""
        head = await self._head(command)
        await asked(self.audit, "cancel", command.caller, command.execution, command.reason)
        cancel = Cancel(command.reason, command.caller.id)
        try:
            definition = await self.load.definition_of(head.summary)
            if definition.compensates:
                return await self.engine.stimulate(command.execution, cancel)
        except (ExecutionVanished, HistoryBroken):
            _log.warning("cancelled_without_undoing", execution=command.execution)
        return None

    async def _head(self, command: CancelExecution) -> Head:
        head = await self.store.head(command.execution)
        if head is None or not command.caller.may_change(head.summary):
            raise ExecutionNotFound
        if head.summary.ended_at is not None:
            raise CommandRefused("cancelled", head.summary.status)
        return head

    async def _attempt(self, command: CancelExecution) -> Summary | None:
        """End the history where it is now; None when it has moved on meanwhile."""
        head = await self._head(command)
        commit = _cancellation(head, command, self.clock.now())
        try:
            await self.store.append(commit)
        except (VersionConflict, StaleOwner):
            return None
        self.engine.ended_elsewhere(command.execution, commit.summary, head.sequence + 1)
        return commit.summary


def _cancellation(head: Head, command: CancelExecution, now: datetime) -> Commit:
    return Commit(
        execution=command.execution,
        expected=head.sequence,
        epoch=head.epoch,
        at=now,
        events=(WorkflowCancelled(command.reason, command.caller.id),),
        summary=replace(head.summary, status="cancelled", ended_at=now),
        wake_at=None,
        busy=False,
        subscriptions=ALL_REMOVED,
    )
