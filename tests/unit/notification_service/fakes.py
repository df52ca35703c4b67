"""The world of the notification service, in memory: it keeps state and passes the contract tests."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from notification_service.application.mail_ports import USELESS, SealedMail
from notification_service.application.ports import (
    Bell,
    Effect,
    EventKey,
    Letter,
    LoggedAttempt,
)
from notification_service.domain.dead_letter import (
    DeadLetter,
    DeadLetterFilter,
    KeptDeadLetter,
)
from notification_service.domain.delivery import (
    Accepted,
    Attempt,
    ChannelName,
    Outcome,
    PendingDelivery,
)
from notification_service.domain.identity_mail import MailWay
from notification_service.domain.notification import Notification, Preferences
from notification_service.domain.recipient import Contact, Recipient

Key = tuple[str, ChannelName]


@dataclass
class Tables:
    """What is stored."""

    settled: set[EventKey] = field(default_factory=set)
    contacts: dict[Recipient, Contact] = field(default_factory=dict)
    preferences: dict[Recipient, Preferences] = field(default_factory=dict)
    notifications: list[Notification] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    queue: dict[Key, PendingDelivery] = field(default_factory=dict)
    mails: dict[str, SealedMail | None] = field(default_factory=dict)
    dead_letters: dict[str, KeptDeadLetter] = field(default_factory=dict)
    buried: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def erase(self, who: Recipient) -> None:
        """Forget somebody."""
        self.contacts.pop(who, None)
        self.preferences.pop(who, None)
        self.notifications = [n for n in self.notifications if n.recipient != who]
        self.attempts = [a for a in self.attempts if a.recipient != who]
        for key, pending in list(self.queue.items()):
            if pending.recipient == who:
                del self.queue[key]
                if key[1] is ChannelName.MAIL:
                    del self.mails[key[0]]

    def announce(self) -> None:
        """Wake everybody who waits for anything."""
        self.changed.set()
        self.changed = asyncio.Event()


@dataclass
class MemoryIntake:
    """Implements `Intake`."""

    tables: Tables

    async def settle(self, event: EventKey, effect: Effect) -> bool:
        """See `Intake.settle`."""
        tables = self.tables
        if event in tables.settled:
            return False
        tables.settled.add(event)
        if effect.erased is not None:
            tables.erase(effect.erased)
        if effect.contact is not None:
            known = tables.contacts.get(effect.contact.recipient)
            if known is None or effect.contact.as_of >= known.as_of:
                tables.contacts[effect.contact.recipient] = effect.contact
        if effect.notification is not None:
            new = effect.notification
            last = max(
                (n.position for n in tables.notifications if n.recipient == new.recipient),
                default=0,
            )
            tables.notifications.append(
                Notification(new.id, new.recipient, new.message, new.created_at, last + 1)
            )
        if effect.attempt is not None:
            tables.attempts.append(effect.attempt)
        if effect.pending is not None:
            tables.queue[key_of(effect.pending)] = effect.pending
        tables.announce()
        return True

    async def settle_all(self, settling: Sequence[tuple[EventKey, Effect]]) -> Sequence[bool]:
        """See `Intake.settle_all`."""
        return [await self.settle(*each) for each in settling]


@dataclass
class MemoryInbox:
    """Implements `Inbox`."""

    tables: Tables

    async def get(self, recipient: Recipient, notification_id: str) -> Notification | None:
        """See `Inbox.get`."""
        return next((n for n in self._of(recipient) if n.id == notification_id), None)

    async def page(
        self, recipient: Recipient, *, before: int | None, limit: int, unread_only: bool
    ) -> Sequence[Notification]:
        """See `Inbox.page`."""
        wanted = [
            n
            for n in reversed(self._of(recipient))
            if (before is None or n.position < before) and not (unread_only and n.read_at)
        ]
        return wanted[:limit]

    async def after(
        self, recipient: Recipient, position: int, limit: int
    ) -> Sequence[Notification]:
        """See `Inbox.after`."""
        return [n for n in self._of(recipient) if n.position > position][:limit]

    async def latest(self, recipient: Recipient) -> int:
        """See `Inbox.latest`."""
        return max((n.position for n in self._of(recipient)), default=0)

    async def mark_read(
        self, recipient: Recipient, notification_id: str, at: datetime
    ) -> Notification | None:
        """See `Inbox.mark_read`."""
        found = await self.get(recipient, notification_id)
        if found is None or found.read_at is not None:
            return found
        read = replace(found, read_at=at)
        self.tables.notifications[self.tables.notifications.index(found)] = read
        return read

    @contextlib.contextmanager
    def listen(self, recipient: Recipient) -> Iterator[Bell]:
        """See `Inbox.listen`."""
        yield MemoryBell(self, recipient)

    def _of(self, recipient: Recipient) -> list[Notification]:
        return [n for n in self.tables.notifications if n.recipient == recipient]


class MemoryBell:
    """Implements `Bell`: it rings when the inbox is longer than when it last rang."""

    def __init__(self, inbox: MemoryInbox, recipient: Recipient) -> None:
        self._tables = inbox.tables
        self._recipient = recipient
        self._heard = self._count()

    async def rung(self) -> None:
        """See `Bell.rung`."""
        while self._count() == self._heard:
            await self._tables.changed.wait()
        self._heard = self._count()

    def _count(self) -> int:
        return sum(n.recipient == self._recipient for n in self._tables.notifications)


@dataclass
class MemoryContacts:
    """Implements `Contacts`."""

    tables: Tables

    async def get(self, recipient: Recipient) -> Contact | None:
        """See `Contacts.get`."""
        return self.tables.contacts.get(recipient)


@dataclass
class MemoryPreferences:
    """Implements `PreferenceStore`."""

    tables: Tables

    async def get(self, recipient: Recipient) -> Preferences:
        """See `PreferenceStore.get`."""
        return self.tables.preferences.get(recipient, Preferences())

    async def put(self, recipient: Recipient, preferences: Preferences) -> None:
        """See `PreferenceStore.put`."""
        self.tables.preferences[recipient] = preferences


@dataclass
class MemoryDeliveryLog:
    """Implements `DeliveryLog`."""

    tables: Tables

    async def page(
        self, recipient: Recipient, *, notification_id: str | None, before: int | None, limit: int
    ) -> Sequence[LoggedAttempt]:
        """See `DeliveryLog.page`."""
        wanted = [
            LoggedAttempt(position, attempt)
            for position, attempt in enumerate(self.tables.attempts, start=1)
            if attempt.recipient == recipient
            and notification_id in (None, attempt.notification_id)
            and (before is None or position < before)
        ]
        return wanted[::-1][:limit]


@dataclass
class MemoryDeliveryQueue:
    """Implements `DeliveryQueue`."""

    tables: Tables
    claimed: set[Key] = field(default_factory=set)

    async def claim(self, now: datetime, limit: int) -> Sequence[PendingDelivery]:
        """See `DeliveryQueue.claim`."""
        due = sorted(
            (p for k, p in self.tables.queue.items() if p.due_at <= now and k not in self.claimed),
            key=lambda pending: pending.due_at,
        )[:limit]
        self.claimed.update(map(key_of, due))
        return due

    async def settle(self, attempt: Attempt, again: PendingDelivery | None) -> None:
        """See `DeliveryQueue.settle`."""
        self.tables.attempts.append(attempt)
        key = (attempt.notification_id, attempt.channel)
        if again is None:
            self._remove(key)
        else:
            self.tables.queue[key] = again
        self.claimed.discard(key)
        self.tables.announce()

    async def drop(self, pending: PendingDelivery) -> None:
        """See `DeliveryQueue.drop`."""
        self._remove(key_of(pending))
        self.claimed.discard(key_of(pending))

    def release(self, pending: PendingDelivery) -> None:
        """See `DeliveryQueue.release`."""
        self.claimed.discard(key_of(pending))
        self.tables.announce()

    async def wait(self, now: datetime, longest: float) -> None:
        """See `DeliveryQueue.wait`."""
        free = [p.due_at for k, p in self.tables.queue.items() if k not in self.claimed]
        ahead = min(((due - now).total_seconds() for due in free), default=longest)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(ahead, longest))):
                await self.tables.changed.wait()

    async def depth(self) -> int:
        """See `DeliveryQueue.depth`."""
        return len(self.tables.queue)

    def _remove(self, key: Key) -> None:
        self.tables.queue.pop(key, None)
        if key[1] is ChannelName.MAIL:
            self.tables.mails[key[0]] = None


@dataclass
class MemoryMails:
    """Implements `Mails`."""

    tables: Tables

    async def accept(self, mail: SealedMail, pending: PendingDelivery) -> bool:
        """See `Mails.accept`."""
        for id_, kept in list(self.tables.mails.items()):
            if kept is not None and kept.expires_at < mail.written_at - USELESS:
                del self.tables.mails[id_]
                self.tables.queue.pop((id_, ChannelName.MAIL), None)
        if mail.id in self.tables.mails:
            return False
        self.tables.mails[mail.id] = mail
        self.tables.queue[key_of(pending)] = pending
        self.tables.announce()
        return True

    async def find(self, mail_id: str) -> SealedMail | None:
        """See `Mails.find`."""
        return self.tables.mails.get(mail_id)


@dataclass
class MemoryDeadLetters:
    """Implements `DeadLetters`."""

    tables: Tables

    async def keep(self, letter: DeadLetter) -> None:
        """See `DeadLetters.keep`."""
        known = self.tables.dead_letters.get(letter.id)
        if known is not None:
            kept = replace(known, letter=letter, times=known.times + 1)
        else:
            self.tables.buried += 1
            kept = KeptDeadLetter(letter, self.tables.buried, letter.at, 1)
        self.tables.dead_letters[letter.id] = kept

    async def get(self, tenant: str, letter_id: str) -> KeptDeadLetter | None:
        """See `DeadLetters.get`."""
        found = self.tables.dead_letters.get(letter_id)
        return found if found is not None and found.letter.tenant == tenant else None

    async def page(
        self, tenant: str, wanted: DeadLetterFilter, *, before: int | None, limit: int
    ) -> Sequence[KeptDeadLetter]:
        """See `DeadLetters.page`."""
        found = [
            kept
            for kept in self.tables.dead_letters.values()
            if kept.letter.tenant == tenant
            and wanted.kind in ("", kept.letter.kind)
            and wanted.service in ("", kept.letter.service)
            and wanted.type in ("", kept.letter.type)
            and (wanted.since is None or kept.letter.at >= wanted.since)
            and (wanted.until is None or kept.letter.at < wanted.until)
            and (before is None or kept.position < before)
        ]
        return sorted(found, key=lambda kept: -kept.position)[:limit]

    async def remove(self, tenant: str, letter_id: str) -> bool:
        """See `DeadLetters.remove`."""
        if await self.get(tenant, letter_id) is None:
            return False
        del self.tables.dead_letters[letter_id]
        return True

    async def count(self) -> int:
        """See `DeadLetters.count`."""
        return len(self.tables.dead_letters)


class MemoryStore:
    """Every storage port, on the same tables."""

    def __init__(self, tables: Tables | None = None) -> None:
        self.tables = tables or Tables()
        self.intake = MemoryIntake(self.tables)
        self.inbox = MemoryInbox(self.tables)
        self.contacts = MemoryContacts(self.tables)
        self.preferences = MemoryPreferences(self.tables)
        self.log = MemoryDeliveryLog(self.tables)
        self.queue = MemoryDeliveryQueue(self.tables)
        self.mails = MemoryMails(self.tables)
        self.dead_letters = MemoryDeadLetters(self.tables)


class ScriptedChannel:
    """Implements `Channel`: answers with what it was told to, then accepts."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        self.letters: list[Letter] = []

    @property
    def name(self) -> ChannelName:
        """See `Channel.name`."""
        return ChannelName.EMAIL

    async def send(self, letter: Letter) -> Outcome:
        """See `Channel.send`."""
        self.letters.append(letter)
        return self._outcomes.pop(0) if self._outcomes else Accepted()


class FixedChance:
    """Implements `Chance`."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value

    def fraction(self) -> float:
        """See `Chance.fraction`."""
        return self.value


@dataclass
class RecordedSignals:
    """Implements `Signals`."""

    types: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    dropped: list[PendingDelivery] = field(default_factory=list)
    depth: int = 0
    mails: list[tuple[str, MailWay]] = field(default_factory=list)

    def notified(self, message_type: str) -> None:
        """See `Signals.notified`."""
        self.types.append(message_type)

    def attempted(self, attempt: Attempt) -> None:
        """See `Signals.attempted`."""
        self.attempts.append(attempt)

    def skipped(self, pending: PendingDelivery) -> None:
        """See `Signals.skipped`."""
        self.dropped.append(pending)

    def mail_accepted(self, template: str, way: MailWay) -> None:
        """See `Signals.mail_accepted`."""
        self.mails.append((template, way))

    def queue_depth(self, depth: int) -> None:
        """See `Signals.queue_depth`."""
        self.depth = depth


def key_of(pending: PendingDelivery) -> Key:
    """What a delivery is queued under."""
    return pending.notification_id, pending.channel
