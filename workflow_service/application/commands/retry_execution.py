"""Take a faulted execution up again."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import UNSET, UnsetType

from chassis.audit import SettlingAudit, SilentAudit
from chassis.errors import FieldProblem, Invalid
from workflow_service.application.asked import asked
from workflow_service.application.caller import Caller, changeable
from workflow_service.application.engine.engine import Engine
from workflow_service.application.ports import EventStore, Recorded, Summaries, Summary
from workflow_service.domain.execution.commands import Retry
from workflow_service.domain.execution.draft import Draft
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.events import TaskCreated
from workflow_service.domain.execution.evolve import apply
from workflow_service.domain.execution.state import NotStarted, Open
from workflow_service.domain.expressions import JsonValue

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class RetryExecution:
    """Retry from the task that faulted, or from another one that had begun before it."""

    caller: Caller
    execution: str
    reason: str = ""
    from_task: str = ""
    """Reference of a task; empty: the one that faulted."""
    input: JsonValue | UnsetType = UNSET
    """Replaces that task's raw input."""


@dataclass(frozen=True, slots=True)
class RetryExecutionHandler:
    """What had been completed before the task keeps its recorded results."""

    engine: Engine
    store: EventStore
    summaries: Summaries
    audit: SettlingAudit = field(default_factory=SilentAudit)

    async def __call__(self, command: RetryExecution) -> Summary:
        """Retry.

        Raises:
            ExecutionNotFound: there is none, or not for the caller.
            CommandRefused: it has not faulted.
            Invalid: the task to begin with never began.
            TooManyExecutions: the tenant has as many open executions as it may have.
            Unavailable: the store cannot commit now.
        """
        summary = await changeable(self.summaries, command.caller, command.execution)
        if summary.status != "faulted":
            raise CommandRefused("retried", summary.status)
        position: Open | None = None
        if command.from_task:
            position = await self._position(command.execution, command.from_task)
        stimulus = Retry(
            reason=command.reason,
            by=command.caller.id,
            task=command.from_task,
            position=position,
            input=command.input,
        )
        await asked(self.audit, "retry", command.caller, command.execution, command.reason)
        return await self.engine.revive(command.execution, summary.tenant, stimulus)

    async def _position(self, execution: str, task: str) -> Open:
        """Return the state in which *task* had just been created for the last time, by replaying the history."""
        draft = Draft(NotStarted())
        found: Open | None = None
        beside: str | None = None
        after = 0
        while page := await self.store.read(execution, after=after, limit=_PAGE):
            for recorded in page:
                apply(draft, recorded.event, recorded.at)
                beside = _created_below(recorded, task, beside)
                if beside is not None:
                    found = draft.open
                    draft = Draft(draft.state)  # what was found must not change any more
            after = page[-1].sequence
        if found is None:
            raise Invalid(
                "the execution cannot be retried from there",
                details=[FieldProblem("from", f"no task with the reference {task} ever began")],
            )
        return found


def _created_below(recorded: Recorded, task: str, beside: str | None) -> str | None:
    """Return the parent if this creates *task*, or right after it another task below the same parent.

    The branches of a fork are created together: a position with some of them only would wait for the others for ever.
    """
    event = recorded.event
    if isinstance(event, TaskCreated) and (event.task == task or event.parent == beside):
        return event.parent
    return None
