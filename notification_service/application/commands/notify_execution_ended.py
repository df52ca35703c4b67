"""An execution has come to its end."""

from dataclasses import dataclass

from notification_service.application.composer import Composer
from notification_service.application.ports import EventKey, Intake, Signals
from notification_service.domain.occasions import ExecutionEnded, execution_ended


@dataclass(frozen=True, slots=True)
class NotifyExecutionEnded:
    """Tell the one who started an execution what became of it, once."""

    event: EventKey
    fact: ExecutionEnded


@dataclass(frozen=True, slots=True)
class NotifyExecutionEndedHandler:
    """Handles `NotifyExecutionEnded`."""

    intake: Intake
    composer: Composer
    signals: Signals

    async def __call__(self, command: NotifyExecutionEnded) -> None:
        """Do it; nobody is told of an execution that no user started."""
        owner = command.fact.owner
        if owner is None:
            return
        message = execution_ended(command.fact)
        effect = await self.composer.effect(owner, message)
        if await self.intake.settle(command.event, effect):
            self.signals.notified(message.type)
