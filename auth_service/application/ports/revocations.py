"""The feed by which every replica of every service learns what it must not believe any more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class RevocationKind(StrEnum):
    """What an entry is about, and so what its subject names."""

    SESSION = "session"
    """A session is over: its tokens are dead. The subject is its id."""
    PRINCIPAL = "principal"
    """A user's or client's rights changed: what was cached for them is stale. Their id."""
    KEY = "key"
    """An API key is dead or has changed. Its id."""
    POLICY = "policy"
    """A tenant's roles or policies changed: all that was cached for it is stale. Its name."""


@dataclass(frozen=True, slots=True)
class Change:
    """An entry on its way into the feed.

    It is written in the same transaction as the change that it tells of, so the methods of stores
    that make such changes take it as an argument. It may be dropped after `forget_at`, when nothing
    that was cached before can be alive.
    """

    kind: RevocationKind
    subject: str
    forget_at: datetime


@dataclass(frozen=True, slots=True)
class Revocation:
    """An entry at its place in the feed."""

    position: int
    change: Change


class Revocations(Protocol):
    """The feed, in the order in which its entries were committed.

    Of several entries with the same kind and subject only the latest is kept.
    """

    async def after(self, position: int, *, now: datetime, limit: int) -> Sequence[Revocation]:
        """Those behind *position* that are still of use at *now*, oldest first."""
        ...

    def known(self) -> int:
        """How far the feed has come, as far as is known here: whoever looks after asking has seen all up to there.

        There may be nothing left to see: entries are dropped with time.
        """
        ...

    async def wait(self, position: int, *, seconds: float) -> None:
        """Until there may be one behind *position*; at most *seconds*, and perhaps for nothing."""
        ...

    async def purge(self, now: datetime) -> None:
        """Drop those that nobody needs at *now*; their positions are never used again."""
        ...
