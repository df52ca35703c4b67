"""Everything that second factors need from the world.

What is single-use is decided by the store in one atomic step: of any number of simultaneous calls
for one code, step or token at most one returns True.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.events import AccountFact
from auth_service.domain.mfa.challenges import Challenge, Quota
from auth_service.domain.mfa.codes import SentCode
from auth_service.domain.mfa.devices import Device
from auth_service.domain.mfa.factors import Factor, FactorKind, Method


@dataclass(frozen=True, slots=True)
class FactorsChanged:
    """A user's factors changed: their devices are forgotten with it, in the same write.

    So are *events* and *mails*, by which the user and others hear of it.
    """

    tenant: str
    user_id: str
    at: datetime
    forget_at: datetime
    """When nothing that was cached about the user can be in use anyway."""
    events: tuple[AccountFact, ...] = ()
    mails: tuple[OutgoingMail, ...] = ()


class Factors(Protocol):
    """The second factors of every user."""

    async def confirmed(self, user_id: str) -> tuple[Factor, ...]:
        """Those that count, oldest first."""
        ...

    async def pending(self, user_id: str, kind: FactorKind) -> Factor | None:
        """The one of this kind that waits for its first code."""
        ...

    async def enrol(self, factor: Factor) -> None:
        """Keep a factor that is not confirmed yet, in the place of another such of its kind."""
        ...

    async def confirm(self, factor: Factor, change: FactorsChanged) -> bool:
        """Let *factor*, as it is given, count from `confirmed_at` on, in the place of one of its kind.

        Returns whether it was this call that confirmed it.
        """
        ...

    async def remove(self, factor_id: str, change: FactorsChanged) -> bool:
        """Drop a confirmed factor of the user; with the last one go the recovery codes."""
        ...

    async def remove_all(self, change: FactorsChanged) -> int:
        """Drop all factors and recovery codes of the user; how many factors counted."""
        ...

    async def spend_step(self, factor_id: str, step: int, at: datetime) -> bool:
        """Take the TOTP time step *step* unless it, or a later one, was taken."""
        ...

    async def used(self, factor_id: str, at: datetime) -> None:
        """Note that the factor served."""
        ...


class RecoveryCodes(Protocol):
    """Codes for users who have lost their factor, known by their digests."""

    async def replace(self, user_id: str, digests: Sequence[bytes], at: datetime) -> None:
        """Keep these; every older one is void."""
        ...

    async def spend(self, user_id: str, digest: bytes, at: datetime) -> bool:
        """Use the code up."""
        ...

    async def left(self, user_id: str) -> int:
        """How many are unused."""
        ...


class SentCodes(Protocol):
    """Short codes on their way to users."""

    async def put(self, code: SentCode) -> None:
        """Keep *code*; an older one of the same subject and method is void."""
        ...

    async def find(self, subject: str, method: Method, now: datetime) -> SentCode | None:
        """The one that counts."""
        ...

    async def spend(self, subject: str, tag: bytes, now: datetime) -> bool:
        """Use the code up."""
        ...


@dataclass(frozen=True, slots=True)
class Tried:
    """The try was counted; the challenge stands."""

    challenge: Challenge


@dataclass(frozen=True, slots=True)
class Burnt:
    """There were too many tries already."""


@dataclass(frozen=True, slots=True)
class Gone:
    """The challenge is unknown, over or was met already."""


Try = Tried | Burnt | Gone


class Challenges(Protocol):
    """Logins that wait for their second factor."""

    async def add(self, challenge: Challenge) -> None:
        """Keep a new one."""
        ...

    async def attempt(self, challenge_id: str, now: datetime) -> Try:
        """Count one more try, before anything is looked at."""
        ...

    async def find(self, challenge_id: str, now: datetime) -> Challenge | None:
        """The challenge, while it can be met."""
        ...

    async def finish(self, challenge_id: str, now: datetime) -> bool:
        """Note that it was met: it never is again."""
        ...


class Tallies(Protocol):
    """Counters that outlive a restart."""

    async def take(self, quotas: Sequence[Quota], now: datetime) -> float | None:
        """Take one of each of *quotas*, or nothing at all.

        Returns None when it was taken, else the seconds until it may be tried again.
        """
        ...

    async def clear(self, key: str) -> None:
        """Begin anew under this key."""
        ...


class Devices(Protocol):
    """Devices on which the second factor is not asked for."""

    async def add(self, device: Device) -> None:
        """Remember a device."""
        ...

    async def rotate(
        self, user_id: str, digest: bytes, successor: bytes, now: datetime
    ) -> Device | None:
        """Spend the token with *digest* for *successor*; None if it is not the user's, or spent."""
        ...

    async def list(self, tenant: str, user_id: str, now: datetime) -> tuple[Device, ...]:
        """Those that are remembered, the latest used first."""
        ...

    async def forget(self, tenant: str, user_id: str, device_id: str) -> bool:
        """Whether there was such a device; it is not remembered any more."""
        ...

    async def forget_all(self, user_id: str) -> None:
        """None is remembered any more."""
        ...


class Messenger(Protocol):
    """Takes text messages to telephones."""

    async def send(self, phone: str, text: str) -> None:
        """Hand *text* over for *phone* (E.164).

        Raises:
            chassis.errors.Unavailable: it could not be handed over.
            SmsNotConfigured: there is no way to send any.
        """
        ...
