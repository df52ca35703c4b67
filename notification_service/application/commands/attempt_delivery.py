"""A delivery is due."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from chassis.clock import Clock
from chassis.crypto.sealing import IntegrityBroken
from chassis.errors import Unavailable
from chassis.ids import Ids
from notification_service.application.dead_letter_ports import DeadLetters
from notification_service.application.dead_letters import of_delivery
from notification_service.application.mail_ports import Mails
from notification_service.application.mail_safe import MailSafe
from notification_service.application.ports import (
    Chance,
    Channel,
    Contacts,
    DeliveryQueue,
    Inbox,
    Letter,
    PreferenceStore,
    Signals,
)
from notification_service.domain.delivery import (
    Attempt,
    ChannelName,
    Deferred,
    DeliveryStatus,
    Outcome,
    PendingDelivery,
    Refused,
    RetryPolicy,
    Verdict,
    judge,
)


@dataclass(frozen=True, slots=True)
class AttemptDelivery:
    """Try a claimed delivery once, record how it went, and end the claim."""

    pending: PendingDelivery


@dataclass(frozen=True, slots=True)
class AttemptDeliveryHandler:
    """Handles `AttemptDelivery`.

    A crash between the hand-over and its record repeats the hand-over, with the same letter id:
    at least once on the wire, recognisable by whoever receives it.
    """

    inbox: Inbox
    mails: Mails
    safe: MailSafe
    contacts: Contacts
    preferences: PreferenceStore
    queue: DeliveryQueue
    dead_letters: DeadLetters
    channel: Channel
    policy: RetryPolicy
    clock: Clock
    ids: Ids
    chance: Chance
    signals: Signals
    store_pause: float = 1.0

    async def __call__(self, command: AttemptDelivery) -> None:
        """Do it; whatever happens, the claim has ended afterwards."""
        pending = command.pending
        try:
            if await self._is_wanted(pending):
                await self._deliver(pending)
            else:
                await self.queue.drop(pending)
                self.signals.skipped(pending)
        finally:
            self.queue.release(pending)

    async def _is_wanted(self, pending: PendingDelivery) -> bool:
        about_the_account = pending.channel is ChannelName.MAIL
        return about_the_account or (await self.preferences.get(pending.recipient)).email

    async def _deliver(self, pending: PendingDelivery) -> None:
        target, outcome = await self._hand_over(pending)
        made = pending.attempts + 1
        verdict = judge(outcome, made, self.policy, self.chance.fraction())
        attempt = self._attempt(pending, target, made, verdict)
        again = _again(pending, attempt, verdict)
        if verdict.status is DeliveryStatus.FAILED:
            # Before its record: after a crash in between it is given up again, and known by its id.
            await self._until_done(partial(self.dead_letters.keep, of_delivery(pending, attempt)))
        await self._until_done(partial(self.queue.settle, attempt, again))
        self.signals.attempted(attempt)

    async def _hand_over(self, pending: PendingDelivery) -> tuple[str, Outcome]:
        """To whom, and how it went."""
        if pending.channel is ChannelName.MAIL:
            return await self._hand_over_mail(pending)
        contact = await self.contacts.get(pending.recipient)
        if contact is None:
            # Events of different services overtake each other: the address may be on its way.
            return "", Deferred("The recipient's address is not known yet.")
        notification = await self.inbox.get(pending.recipient, pending.notification_id)
        if notification is None:
            return contact.email, Refused("The notification is gone.")
        letter = Letter(notification.id, notification.message, contact, notification.created_at)
        return contact.email, await self.channel.send(letter)

    async def _hand_over_mail(self, pending: PendingDelivery) -> tuple[str, Outcome]:
        mail = await self.mails.find(pending.notification_id)
        if mail is None:
            return "", Refused("The mail is gone.")
        if mail.expires_at <= self.clock.now():
            return "", Refused("It could not be sent before it had become useless.")
        try:
            letter = self.safe.letter(mail, pending.recipient)
        except IntegrityBroken as exc:
            return "", Refused(str(exc))
        # The address stays sealed: it need not be the user's yet, and is wiped with the mail.
        return "", await self.channel.send(letter)

    def _attempt(
        self, pending: PendingDelivery, target: str, made: int, verdict: Verdict
    ) -> Attempt:
        return Attempt(
            id=self.ids.new(),
            notification_id=pending.notification_id,
            recipient=pending.recipient,
            channel=pending.channel,
            target=target,
            status=verdict.status,
            number=made,
            error=verdict.error,
            attempted_at=self.clock.now(),
        )

    async def _until_done(self, write: Callable[[], Awaitable[None]]) -> None:
        """Try for as long as it takes: what is sent but not recorded would be sent again."""
        while True:
            try:
                return await write()
            except Unavailable:
                await asyncio.sleep(self.store_pause)


def _again(pending: PendingDelivery, attempt: Attempt, verdict: Verdict) -> PendingDelivery | None:
    if verdict.retry_after is None:
        return None
    due = attempt.attempted_at + timedelta(seconds=verdict.retry_after)
    return replace(pending, attempts=attempt.number, due_at=due)
