"""A user has registered."""

from dataclasses import dataclass

from notification_service.application.composer import Composer
from notification_service.application.ports import EventKey, Intake, Signals
from notification_service.domain.occasions import welcome
from notification_service.domain.recipient import Contact


@dataclass(frozen=True, slots=True)
class WelcomeUser:
    """Remember how to reach a new user, and welcome them, once."""

    event: EventKey
    contact: Contact


@dataclass(frozen=True, slots=True)
class WelcomeUserHandler:
    """Handles `WelcomeUser`."""

    intake: Intake
    composer: Composer
    signals: Signals

    async def __call__(self, command: WelcomeUser) -> None:
        """Do it; an event that comes again changes nothing."""
        contact = command.contact
        message = welcome(contact)
        effect = await self.composer.effect(contact.recipient, message, contact=contact)
        if await self.intake.settle(command.event, effect):
            self.signals.notified(message.type)
