"""The bus gave something up."""

from dataclasses import dataclass

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.messaging.port import DeadLetter as GivenUp
from notification_service.application.dead_letter_ports import DeadLetters
from notification_service.application.dead_letters import of_event


@dataclass(frozen=True, slots=True)
class KeepDeadLetter:
    """Keep what was given up until somebody has seen to it."""

    given_up: GivenUp


@dataclass(frozen=True, slots=True)
class KeepDeadLetterHandler:
    """Handles `KeepDeadLetter`."""

    letters: DeadLetters
    clock: Clock
    audit: Audit

    async def __call__(self, command: KeepDeadLetter) -> None:
        """Keep it; the same one again changes its reason and counts once more."""
        letter = of_event(command.given_up, self.clock.now())
        await self.letters.keep(letter)
        if not command.given_up.trusted:
            self.audit.record(
                "message_refused",
                tenant=letter.tenant,
                target=letter.id,
                reason=letter.reason,
                subscription=letter.subscription,
            )
