"""Keys that sign tokens, and when each is which.

A key is published before it signs and stays published after it has signed for the last time, so
that nobody ever meets a token whose key they could not know:

    created ──next── activates ──current── retires ──retired── expires
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class KeyUse(StrEnum):
    """Each kind of token has its own kind of key: one can never stand for the other."""

    ACCESS = "access"
    INTERNAL = "internal"
    ID_RS256 = "id_rs256"
    ID_ES256 = "id_es256"
    MFA = "mfa"
    """Tokens of logins that wait for their second factor."""


ID_USES = (KeyUse.ID_RS256, KeyUse.ID_ES256)
"""What signs ID tokens."""

PUBLISHED = (KeyUse.ACCESS, *ID_USES)
"""The keys that the world needs; internal ones are for services only."""


class KeyState(StrEnum):
    """What a key is good for at some moment."""

    NEXT = "next"
    CURRENT = "current"
    RETIRED = "retired"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Fresh key material: a PKCS#8 PEM, from which the public half follows."""

    kid: str
    private_pem: bytes


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key pair with its time table. *follows* is the kid before it, "" for the first."""

    kid: str
    use: KeyUse
    follows: str
    private_pem: bytes
    activates_at: datetime
    retires_at: datetime
    expires_at: datetime

    def state(self, now: datetime) -> KeyState:
        """What this key is at *now*."""
        if now < self.activates_at:
            return KeyState.NEXT
        if now < self.retires_at:
            return KeyState.CURRENT
        return KeyState.RETIRED if now < self.expires_at else KeyState.EXPIRED


@dataclass(frozen=True, slots=True)
class KeySchedule:
    """How long a key signs, how long before that it is published, and how long after."""

    rotation: timedelta = timedelta(days=30)
    announced: timedelta = timedelta(days=1)
    kept: timedelta = timedelta(hours=2)
    """Longer than any token may live: an hour is the longest setting."""

    def __post_init__(self) -> None:
        """A key must not be announced before the one before it has begun to sign."""
        if self.announced >= self.rotation:
            object.__setattr__(self, "announced", self.rotation / 2)


@dataclass(frozen=True, slots=True)
class KeyDue:
    """A key that ought to exist by now."""

    use: KeyUse
    follows: str
    activates_at: datetime
    retires_at: datetime
    expires_at: datetime

    def filled_with(self, pair: KeyPair) -> SigningKey:
        """The key, made of *pair*."""
        return SigningKey(
            kid=pair.kid,
            use=self.use,
            follows=self.follows,
            private_pem=pair.private_pem,
            activates_at=self.activates_at,
            retires_at=self.retires_at,
            expires_at=self.expires_at,
        )


def key_due(
    use: KeyUse, keys: Sequence[SigningKey], schedule: KeySchedule, now: datetime
) -> KeyDue | None:
    """The key that is missing for *use* at *now*, if any.

    After a pause longer than a rotation the new key signs at once; a clock that went back makes
    no key, because one that is not yet active still counts.
    """
    latest = latest_key(use, keys)
    if latest is None or latest.retires_at <= now:
        return _due(use, latest.kid if latest else "", now, schedule)
    if now >= latest.retires_at - schedule.announced:
        return _due(use, latest.kid, latest.retires_at, schedule)
    return None


def signing_key(use: KeyUse, keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The key that signs for *use* at *now*; None when every key is retired.

    When the clock went back behind the first key, that one signs before its time.
    """
    usable = sorted(
        (key for key in keys if key.use is use and now < key.retires_at),
        key=lambda key: key.activates_at,
    )
    active = [key for key in usable if key.activates_at <= now]
    return active[-1] if active else next(iter(usable), None)


def latest_key(use: KeyUse, keys: Sequence[SigningKey]) -> SigningKey | None:
    """The key of *use* that will sign last."""
    return max(
        (key for key in keys if key.use is use), key=lambda key: key.activates_at, default=None
    )


def published_keys(
    use: KeyUse, keys: Sequence[SigningKey], now: datetime
) -> tuple[SigningKey, ...]:
    """The keys that verify tokens of *use* at *now*: next, current, and retired ones still needed."""
    return tuple(key for key in keys if key.use is use and key.state(now) is not KeyState.EXPIRED)


def _due(use: KeyUse, follows: str, activates_at: datetime, schedule: KeySchedule) -> KeyDue:
    retires_at = activates_at + schedule.rotation
    return KeyDue(use, follows, activates_at, retires_at, retires_at + schedule.kept)
