"""A login that waits for its second factor, and how often anybody may try.

Tries are counted before a code is looked at, so that a burst gets no more looks than one after the
other would.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

CHALLENGE_LIFE: Final = timedelta(minutes=5)
MAX_TRIES: Final = 5
"""Of one challenge; then it is burnt."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """Somebody gave the right password and owes a second factor."""

    id: str
    user_id: str
    tenant: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Quota:
    """No more than *most* in *window*, counted under *key*."""

    key: str
    most: int
    window: timedelta


def tries_of(user_id: str) -> Quota:
    """How many codes may be tried for one user, whatever challenges they are tried at.

    Nobody but who knows the password comes to trying. Ten tries in a quarter of an hour against
    three good codes in a million: somebody who guesses all day has 0.3 % a day.
    """
    return Quota(f"tries:{user_id}", 10, timedelta(minutes=15))


def confirmations_of(factor_id: str) -> Quota:
    """How many codes may be tried to confirm one factor."""
    return Quota(f"confirm:{factor_id}", MAX_TRIES, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How many codes are sent, per hour. Text messages cost money, and pay whoever pumps them."""

    per_destination: int = 5
    per_account: int = 10
    per_tenant: int = 100

    def quotas(self, tenant: str, user_id: str, medium: str, target: str) -> tuple[Quota, ...]:
        """What sending one code to *target* takes from."""
        hour = timedelta(hours=1)
        # Whom codes went to is nothing that a copy of the store should tell.
        digest = hashlib.sha256(target.encode()).hexdigest()
        return (
            Quota(f"send:{tenant}:to:{medium}:{digest}", self.per_destination, hour),
            Quota(f"send:{tenant}:by:{medium}:{user_id}", self.per_account, hour),
            Quota(f"send:{tenant}:all:{medium}", self.per_tenant, hour),
        )
