"""The caller's inbox."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest


class Notification(Struct, frozen=True):
    """One item of an inbox."""

    id: str
    type: str
    title: str
    body: str
    data: Raw
    read_at: datetime | None
    created_at: datetime | None


class Preferences(Struct, frozen=True):
    """By which channels somebody wants to be told."""

    email: bool


class Notifications(Protocol):
    """The caller's own inbox."""

    async def inbox(
        self, caller: Caller, page: PageRequest, *, unread_only: bool
    ) -> Page[Notification]:
        """Notifications, newest first."""

    async def mark_read(self, caller: Caller, notification: str) -> Notification:
        """Mark one as read; again changes nothing.

        Raises:
            NotFound: no such notification, or not the caller's.
        """

    def watch(
        self, caller: Caller, after: int | None
    ) -> AsyncGenerator[tuple[int, Notification], None]:
        """Notifications after a position (None: from now on) with their positions, for ever."""

    async def preferences(self, caller: Caller) -> Preferences:
        """What the caller has chosen."""

    async def update_preferences(self, caller: Caller, email: bool | None) -> Preferences:
        """Change what is given; None leaves it."""
