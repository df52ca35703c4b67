"""One thing that was given up, with what it holds."""

from dataclasses import dataclass

from notification_service.application.dead_letter_ports import DeadLetters
from notification_service.domain.dead_letter import KeptDeadLetter
from notification_service.domain.errors import DeadLetterNotFound


@dataclass(frozen=True, slots=True)
class GetDeadLetter:
    """A dead letter of *tenant*."""

    tenant: str
    letter_id: str


@dataclass(frozen=True, slots=True)
class GetDeadLetterHandler:
    """Answers `GetDeadLetter`."""

    letters: DeadLetters

    async def __call__(self, query: GetDeadLetter) -> KeptDeadLetter:
        """The letter.

        Raises:
            DeadLetterNotFound: there is none, or it is another tenant's.
        """
        found = await self.letters.get(query.tenant, query.letter_id)
        if found is None:
            raise DeadLetterNotFound(query.letter_id)
        return found
