"""What was done to bring notifications to somebody."""

from dataclasses import dataclass

from notification_service.application.paging import Page, cursor_of, page_size, position_of
from notification_service.application.ports import DeliveryLog, Inbox
from notification_service.domain.delivery import Attempt
from notification_service.domain.errors import NotificationNotFound
from notification_service.domain.recipient import Recipient

_KIND = "deliveries"


@dataclass(frozen=True, slots=True)
class ListDeliveries:
    """A page of attempts, newest first; *notification_id* "" asks for those of all one's own."""

    recipient: Recipient
    notification_id: str = ""
    limit: int = 0
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class ListDeliveriesHandler:
    """Answers `ListDeliveries`."""

    inbox: Inbox
    log: DeliveryLog

    async def __call__(self, query: ListDeliveries) -> Page[Attempt]:
        """The page.

        Raises:
            NotificationNotFound: absent, or somebody else's.
            LimitOutOfRange, CursorInvalid: the caller asked wrongly.
        """
        size = page_size(query.limit)
        before = position_of(_KIND, query.cursor)
        wanted = query.notification_id or None
        if wanted is not None and await self.inbox.get(query.recipient, wanted) is None:
            raise NotificationNotFound(wanted)
        found = await self.log.page(
            query.recipient, notification_id=wanted, before=before, limit=size + 1
        )
        items = found[:size]
        more = len(found) > size
        return Page(
            [logged.attempt for logged in items],
            cursor_of(_KIND, items[-1].position) if more else "",
        )
