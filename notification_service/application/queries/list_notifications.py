"""Reading one's inbox."""

from dataclasses import dataclass

from notification_service.application.paging import Page, cursor_of, page_size, position_of
from notification_service.application.ports import Inbox
from notification_service.domain.notification import Notification
from notification_service.domain.recipient import Recipient

_KIND = "notifications"


@dataclass(frozen=True, slots=True)
class ListNotifications:
    """A page of one's inbox, newest first; *limit* 0 is the default, *cursor* "" the start."""

    recipient: Recipient
    limit: int = 0
    cursor: str = ""
    unread_only: bool = False


@dataclass(frozen=True, slots=True)
class ListNotificationsHandler:
    """Answers `ListNotifications`."""

    inbox: Inbox

    async def __call__(self, query: ListNotifications) -> Page[Notification]:
        """The page.

        Raises:
            LimitOutOfRange, CursorInvalid: the caller asked wrongly.
        """
        size = page_size(query.limit)
        found = await self.inbox.page(
            query.recipient,
            before=position_of(_KIND, query.cursor),
            limit=size + 1,
            unread_only=query.unread_only,
        )
        items = found[:size]
        more = len(found) > size
        return Page(items, cursor_of(_KIND, items[-1].position) if more else "")
