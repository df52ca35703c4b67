"""Something has happened to somebody's account."""

from dataclasses import dataclass

from notification_service.application.composer import Composer
from notification_service.application.ports import EventKey, Intake, Signals
from notification_service.domain.account_occasions import AccountFact, account_fact


@dataclass(frozen=True, slots=True)
class NotifyAccountFact:
    """Tell the owner in their inbox, once; *mailed*: auth_service has mailed them already."""

    event: EventKey
    fact: AccountFact
    mailed: bool


@dataclass(frozen=True, slots=True)
class NotifyAccountFactHandler:
    """Handles `NotifyAccountFact`."""

    intake: Intake
    composer: Composer
    signals: Signals

    async def __call__(self, command: NotifyAccountFact) -> None:
        """Do it; an event that comes again changes nothing."""
        message = account_fact(command.fact)
        effect = await self.composer.effect(command.fact.owner, message, by_mail=not command.mailed)
        if await self.intake.settle(command.event, effect):
            self.signals.notified(message.type)
