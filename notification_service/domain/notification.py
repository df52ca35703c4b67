"""What people are told."""

from dataclasses import dataclass
from datetime import datetime

from notification_service.domain.recipient import Recipient

LONGEST_TITLE = 200
LONGEST_BODY = 1_000


@dataclass(frozen=True, slots=True)
class Message:
    """What a notification says, before it is anybody's.

    *data* is a JSON object, as bytes, for programs that read the inbox.
    """

    type: str
    title: str
    body: str
    data: bytes


@dataclass(frozen=True, slots=True)
class NewNotification:
    """A message that has found its recipient, not yet in the inbox."""

    id: str
    recipient: Recipient
    message: Message
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Notification:
    """A message in somebody's inbox.

    *position* counts the recipient's notifications from 1; a later one has a larger one.
    """

    id: str
    recipient: Recipient
    message: Message
    created_at: datetime
    position: int
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a user wants to hear by which way; the inbox cannot be switched off."""

    email: bool = True
