"""Somebody has seen that nothing is to be done."""

from dataclasses import dataclass

from chassis.audit import Audit
from notification_service.application.dead_letter_ports import DeadLetters
from notification_service.domain.errors import DeadLetterNotFound


@dataclass(frozen=True, slots=True)
class DiscardDeadLetter:
    """Forget a dead letter of *tenant*; *by* says who."""

    tenant: str
    letter_id: str
    by: str


@dataclass(frozen=True, slots=True)
class DiscardDeadLetterHandler:
    """Handles `DiscardDeadLetter`."""

    letters: DeadLetters
    audit: Audit

    async def __call__(self, command: DiscardDeadLetter) -> None:
        """Forget it.

        Raises:
            DeadLetterNotFound: there is none, or it is another tenant's.
        """
        told = self.audit.along(
            "dead_letter_discarded",
            tenant=command.tenant,
            actor=command.by,
            target=command.letter_id,
        )
        with told:
            removed = await self.letters.remove(command.tenant, command.letter_id)
        if not removed:
            raise DeadLetterNotFound(command.letter_id)
