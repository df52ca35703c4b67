"""A user has another name or address."""

from dataclasses import dataclass

from notification_service.application.ports import Effect, EventKey, Intake
from notification_service.domain.recipient import Contact


@dataclass(frozen=True, slots=True)
class UpdateContact:
    """Remember how to reach a user from now on."""

    event: EventKey
    contact: Contact


@dataclass(frozen=True, slots=True)
class UpdateContactHandler:
    """Handles `UpdateContact`."""

    intake: Intake

    async def __call__(self, command: UpdateContact) -> None:
        """Do it; news that is older than what is known changes nothing."""
        _ = await self.intake.settle(command.event, Effect(contact=command.contact))
