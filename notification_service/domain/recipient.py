"""Whom a notification is for, and where that person can be reached."""

from dataclasses import dataclass
from datetime import datetime

from notification_service.domain.errors import EventMalformed
from notification_service.domain.text import one_line

LONGEST_ADDRESS = 254
"""Octets of a forward-path (RFC 5321 §4.5.3.1.3, without the angle brackets)."""

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Recipient:
    """A user, within the tenant that nothing of theirs leaves."""

    tenant: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Contact:
    """This service's own copy of how to reach a user.

    *as_of* is when that was true, so that an older fact never replaces a newer one.
    """

    recipient: Recipient
    email: str
    name: str
    as_of: datetime


def contact(recipient: Recipient, email: str, name: str, as_of: datetime) -> Contact:
    """A contact whose name and address can stand in a mail header without harm.

    Raises:
        EventMalformed: *email* is no address, or holds what would end a header or an SMTP command.
    """
    if not is_address(email):
        raise EventMalformed("The e-mail address of a user event is not one.")
    return Contact(recipient, email, one_line(name, LONGEST_NAME), as_of)


def is_address(text: str) -> bool:
    """Whether *text* can be written to, and cannot end a header or an SMTP command."""
    local, at, domain = text.rpartition("@")
    harmless = text.isprintable() and not any(mark in text for mark in ' <>"\\')
    short = len(text.encode("utf-8", "replace")) <= LONGEST_ADDRESS
    return bool(local and at and domain) and harmless and short
