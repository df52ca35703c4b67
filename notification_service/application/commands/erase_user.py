"""A user was deleted."""

from dataclasses import dataclass

from notification_service.application.ports import Effect, EventKey, Intake
from notification_service.domain.recipient import Recipient


@dataclass(frozen=True, slots=True)
class EraseUser:
    """Forget a user: inbox, address, preferences, deliveries, and mails that still wait."""

    event: EventKey
    user: Recipient


@dataclass(frozen=True, slots=True)
class EraseUserHandler:
    """Handles `EraseUser`."""

    intake: Intake

    async def __call__(self, command: EraseUser) -> None:
        """Do it; an event that comes again changes nothing."""
        _ = await self.intake.settle(command.event, Effect(erased=command.user))
