"""Bringing a notification to somebody: attempts, outcomes, and when to stop trying."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from notification_service.domain.recipient import Recipient
from notification_service.domain.text import one_line

LONGEST_REASON = 500


class ChannelName(StrEnum):
    """The ways to somebody."""

    INBOX = "inbox"
    EMAIL = "email"
    MAIL = "mail"
    """About the account: it goes to an address, and whether it is wanted is not asked."""


class DeliveryStatus(StrEnum):
    """What became of one attempt; *RETRYING*: it failed, and another will follow."""

    DELIVERED = "delivered"
    FAILED = "failed"
    RETRYING = "retrying"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to bring one notification to one target; *number* counts from 1."""

    id: str
    notification_id: str
    recipient: Recipient
    channel: ChannelName
    target: str
    status: DeliveryStatus
    number: int
    error: str
    attempted_at: datetime


@dataclass(frozen=True, slots=True)
class PendingDelivery:
    """Work that is still to be done: *attempts* were made, the next one is due at *due_at*."""

    notification_id: str
    recipient: Recipient
    channel: ChannelName
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel has taken charge of the message."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """It did not work now and may work later."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never work; trying again would only annoy."""

    reason: str


Outcome = Accepted | Deferred | Refused


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to try, and how long to wait in between (seconds)."""

    max_attempts: int
    base: float
    cap: float

    def delay_after(self, attempts: int, fraction: float) -> float:
        """Seconds to wait after *attempts* failures: exponential, with full jitter.

        *fraction* is a number drawn from [0, 1): without it, all that failed together would
        come back together.
        """
        # The exponent is bounded, or the power overflows long before the cap is compared.
        return fraction * min(self.cap, self.base * 2.0 ** min(attempts - 1, 64))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an outcome means: the status of the attempt, and in how many seconds to try again."""

    status: DeliveryStatus
    error: str = ""
    retry_after: float | None = None


def judge(outcome: Outcome, attempts: int, policy: RetryPolicy, fraction: float) -> Verdict:
    """The verdict on attempt number *attempts* (from 1)."""
    match outcome:
        case Accepted():
            return Verdict(DeliveryStatus.DELIVERED)
        case Refused(reason):
            return Verdict(DeliveryStatus.FAILED, one_line(reason, LONGEST_REASON))
        case Deferred(reason) if attempts >= policy.max_attempts:
            return Verdict(DeliveryStatus.FAILED, one_line(reason, LONGEST_REASON))
        case Deferred(reason):
            delay = policy.delay_after(attempts, fraction)
            return Verdict(DeliveryStatus.RETRYING, one_line(reason, LONGEST_REASON), delay)
        case _:
            assert_never(outcome)
