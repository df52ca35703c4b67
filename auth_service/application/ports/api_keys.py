"""API keys, what they are hashed with, and how often they are used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.revocations import Change
from auth_service.domain.api_key import ApiKey, KeySecret, KeyTerms, KeyUsage
from auth_service.domain.events import AccountFact
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key by the prefix of one of its texts, with that text's secret and the key's owner."""

    key: ApiKey
    secret: KeySecret
    owner: User


@dataclass(frozen=True, slots=True)
class KeyPage:
    """Some keys, newest first; *next_cursor* leads to those behind them, None: there are none."""

    items: Sequence[ApiKey]
    next_cursor: str | None


class ApiKeys(Protocol):
    """The keys of every tenant. An *owner* of None means anybody's in the tenant."""

    async def add(self, key: ApiKey, secret: KeySecret, *, most: int, event: AccountFact) -> bool:
        """Keep a new key with its first secret and announce it, unless its owner has *most* already."""
        ...

    async def change(self, key_id: str, terms: KeyTerms, at: datetime, change: Change) -> bool:
        """Give the key other terms and put *change* on the feed; whether there is such a key."""
        ...

    async def rotate(
        self,
        key_id: str,
        secret: KeySecret,
        *,
        overlap_ends: datetime,
        change: Change,
        event: AccountFact,
    ) -> bool:
        """Add a secret, put *change* on the feed and announce it; whether there is such a key.

        The newest one before it ends at *overlap_ends* unless it ends earlier; all others at once.
        """
        ...

    async def delete(self, tenant: str, owner: str | None, key_id: str, change: Change) -> bool:
        """Drop the key and put *change* on the feed; whether it was there."""
        ...

    async def find(self, tenant: str, owner: str | None, key_id: str) -> ApiKey | None:
        """The key, if it is theirs."""
        ...

    async def list(
        self, tenant: str, owner: str | None, *, limit: int, cursor: str | None
    ) -> KeyPage:
        """Their keys, newest first."""
        ...

    async def find_by_prefix(self, prefix: str) -> FoundKey | None:
        """The key one of whose texts begins with *prefix*, expired or not. Never writes."""
        ...

    async def record(self, reporter: str, sequence: int, uses: Sequence[KeyUsage]) -> None:
        """Count *uses*, once: what *reporter* reports again under a *sequence* is not counted again.

        A reporter sends its reports one after the other, with ascending numbers.
        """
        ...

    async def purge(self, now: datetime) -> None:
        """Drop secrets that have ended, and reporters that have been silent for long."""
        ...


@dataclass(frozen=True, slots=True)
class Peppered:
    """HMAC-SHA256 of a secret, and the id of the pepper that it was made with."""

    pepper: str
    digest: bytes


class Peppers(Protocol):
    """Secret keys of this installation, without which hashes of secrets cannot be tried out."""

    def hashed(self, purpose: str, text: str) -> Peppered:
        """A new hash of *text*, for one *purpose*."""
        ...

    def matches(self, purpose: str, text: str, known: Peppered | None) -> bool:
        """Whether *known* was made of *text*; takes the same time either way, and for None.

        False when its pepper was taken away.
        """
        ...


class Rights(Protocol):
    """What roles give."""

    async def permissions_of(
        self, tenant: str, names: Sequence[str], *, fresh: bool = False
    ) -> tuple[str, ...]:
        """Everything that somebody with these roles may do. *fresh*: as of now."""
        ...
