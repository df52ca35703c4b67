"""What was given up."""

from dataclasses import dataclass, field

from notification_service.application.dead_letter_ports import DeadLetters
from notification_service.application.paging import Page, cursor_of, page_size, position_of
from notification_service.domain.dead_letter import DeadLetterFilter, KeptDeadLetter

_KIND = "dead-letters"


@dataclass(frozen=True, slots=True)
class ListDeadLetters:
    """A page of the tenant's dead letters, newest first."""

    tenant: str
    wanted: DeadLetterFilter = field(default_factory=DeadLetterFilter)
    limit: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ListDeadLettersHandler:
    """Answers `ListDeadLetters`."""

    letters: DeadLetters

    async def __call__(self, query: ListDeadLetters) -> Page[KeptDeadLetter]:
        """The page.

        Raises:
            LimitOutOfRange, CursorInvalid: the caller asked wrongly.
        """
        size = page_size(query.limit)
        before = position_of(_KIND, query.cursor)
        found = await self.letters.page(query.tenant, query.wanted, before=before, limit=size + 1)
        items = found[:size]
        more = len(found) > size
        return Page(items, cursor_of(_KIND, items[-1].position) if more else "")
