"""Executions have come to their end."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from notification_service.application.composer import Composer
from notification_service.application.ports import Effect, EventKey, Intake, Signals
from notification_service.domain.occasions import ExecutionEnded, execution_ended


@dataclass(frozen=True, slots=True)
class NotifyExecutionEnded:
    """Tell the one who started an execution what became of it, once."""

    event: EventKey
    fact: ExecutionEnded


@dataclass(frozen=True, slots=True)
class NotifyExecutionsEndedHandler:
    """Handles several `NotifyExecutionEnded` at once: under load they come faster than they can be handled one by one."""

    intake: Intake
    composer: Composer
    signals: Signals

    async def __call__(self, commands: Sequence[NotifyExecutionEnded]) -> None:
        """Do it; nobody is told of an execution that no user started."""
        settling: list[tuple[EventKey, Effect]] = []
        types: list[str] = []
        for command in commands:
            if (owner := command.fact.owner) is not None:
                message = execution_ended(command.fact)
                settling.append((command.event, await self.composer.effect(owner, message)))
                types.append(message.type)
        fresh = await self.intake.settle_all(settling)
        for message_type in compress(types, fresh):
            self.signals.notified(message_type)
