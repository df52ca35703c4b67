"""What was given up, so that somebody can look at it, and offer it again."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

LONGEST_REASON: Final = 2_000


class DeadLetterKind(StrEnum):
    """What it is that was given up."""

    EVENT = "event"
    """A service could not take in an event, or it could not be published."""
    DELIVERY = "delivery"
    """A notification could not be brought to somebody."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that was given up; *id* is the same when it happens to the same thing again."""

    id: str
    tenant: str
    kind: DeadLetterKind
    service: str
    """Which service could not do it."""
    subscription: str
    """On whose behalf: a subscription of the bus, or the channel of a delivery; empty: it could not be published."""
    type: str
    """The event's type, or the notification's."""
    about: str
    """Id of the event or the notification."""
    reason: str
    payload: bytes
    """JSON: the event, or the delivery."""
    redrivable: bool
    """Whether offering it again makes sense: what was forged is never offered again."""
    at: datetime
    """When it was given up, the last time."""


@dataclass(frozen=True, slots=True)
class KeptDeadLetter:
    """A dead letter and what the store knows of it."""

    letter: DeadLetter
    position: int
    """Its place in the list; grows."""
    first_at: datetime
    times: int
    """How often it was given up."""


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which ones; empty texts and None leave a property open, *until* is excluded."""

    kind: str = ""
    service: str = ""
    type: str = ""
    since: datetime | None = None
    until: datetime | None = None


def dead_letter_id(*parts: str) -> str:
    """An id that belongs to *parts* for ever."""
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
