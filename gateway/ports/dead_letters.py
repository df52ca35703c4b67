"""What was given up: events that a service could not take in, deliveries that never arrived."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest


class DeadLetter(Struct, frozen=True):
    """Something that was given up."""

    id: str
    kind: str
    """event or delivery."""
    service: str
    """Which service could not do it."""
    subscription: str
    """On whose behalf; empty: an event that could not be published."""
    type: str
    about: str
    """Id of the event or the notification."""
    reason: str
    redrivable: bool
    """Whether it can be offered again; what was forged cannot."""
    times: int
    first_at: datetime | None
    last_at: datetime | None


class DeadLetterWithPayload(DeadLetter, frozen=True):
    """The same, with what it holds, masked."""

    payload: Raw


class DeadLetterFilter(Struct, frozen=True):
    """Which ones; what is empty or None is left open."""

    kind: str = ""
    service: str = ""
    type: str = ""
    since: datetime | None = None
    until: datetime | None = None


class RedriveFailure(Struct, frozen=True):
    """One that is still there, and why."""

    id: str
    reason: str


class Redriven(Struct, frozen=True):
    """What became of them."""

    redriven: list[str]
    failed: list[RedriveFailure]


class DeadLetters(Protocol):
    """Dead letters of the caller's tenant."""

    async def dead_letters(
        self, caller: Caller, wanted: DeadLetterFilter, page: PageRequest
    ) -> Page[DeadLetter]:
        """A page of them, newest first."""

    async def dead_letter(self, caller: Caller, letter: str) -> DeadLetterWithPayload:
        """One of them."""

    async def redrive(
        self,
        caller: Caller,
        ids: Sequence[str],
        wanted: DeadLetterFilter,
        *,
        limit: int,
        dry_run: bool,
    ) -> Redriven:
        """Offer those with *ids* again, or without any those that are *wanted*."""

    async def discard(self, caller: Caller, letter: str) -> None:
        """Forget one."""
