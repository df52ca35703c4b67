"""What mail about accounts needs from the world.

Both raise `chassis.errors.Unavailable` when the store cannot be reached; nothing has then changed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from notification_service.domain.delivery import PendingDelivery


@dataclass(frozen=True, slots=True)
class SealedMail:
    """A mail as it is kept: address and words are sealed, for this id and tenant only."""

    id: str
    tenant: str
    sealed: bytes
    written_at: datetime
    expires_at: datetime


KEPT: Final = timedelta(days=7)
"""How long the id of a mail is remembered: a repetition comes within seconds, or after a restart."""

USELESS: Final = timedelta(days=1)
"""How long after its end a mail that was never sent is kept."""


class Mails(Protocol):
    """Mails that are still to be sent."""

    async def accept(self, mail: SealedMail, pending: PendingDelivery) -> bool:
        """Keep *mail* and queue its delivery: both, durably, or neither.

        Mails that ended more than `USELESS` before *mail* was written, unsent, are forgotten.

        Returns:
            Whether it is new; False: a mail of this id was accepted before, and nothing changed.
        """
        ...

    async def find(self, mail_id: str) -> SealedMail | None:
        """The mail; None once its delivery has ended, which wipes it (`DeliveryQueue.settle`)."""
        ...
