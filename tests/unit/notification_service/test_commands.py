"""The use cases, on a world in memory."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

import pytest

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.safe import Safe
from chassis.errors import Unavailable
from notification_service.application.commands.attempt_delivery import (
    AttemptDelivery,
    AttemptDeliveryHandler,
)
from notification_service.application.commands.mark_read import MarkRead, MarkReadHandler
from notification_service.application.commands.notify_execution_ended import (
    NotifyExecutionEnded,
    NotifyExecutionsEndedHandler,
)
from notification_service.application.commands.update_preferences import (
    UpdatePreferences,
    UpdatePreferencesHandler,
)
from notification_service.application.commands.welcome_user import WelcomeUser, WelcomeUserHandler
from notification_service.application.composer import Composer
from notification_service.application.mail_safe import MailSafe
from notification_service.application.ports import Effect, EventKey
from notification_service.application.queries.watch_notifications import (
    WatchNotifications,
    WatchNotificationsHandler,
)
from notification_service.domain.delivery import (
    Attempt,
    Deferred,
    DeliveryStatus,
    Outcome,
    PendingDelivery,
    Refused,
    RetryPolicy,
)
from notification_service.domain.errors import NotificationNotFound
from notification_service.domain.notification import Notification, Preferences
from tests.support.ids import CountingIds
from tests.support.time import ManualClock
from tests.unit.notification_service.builders import ALICE, BOB, NOON, contact, later, notification
from tests.unit.notification_service.fakes import (
    FixedChance,
    MemoryDeliveryQueue,
    MemoryStore,
    RecordedSignals,
    ScriptedChannel,
    Tables,
)
from tests.unit.notification_service.test_occasions import COMPLETED

EVENT = EventKey("/autoworker/auth", "e1")
MAIL_SAFE = MailSafe(Safe(WrappingKeys("k1", {"k1": bytes(32)}), "identity mail"))
POLICY = RetryPolicy(max_attempts=3, base=10, cap=3_600)


@dataclass
class World:
    """The service in memory."""

    email: bool = True
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    ids: CountingIds = field(default_factory=CountingIds)
    signals: RecordedSignals = field(default_factory=RecordedSignals)

    @property
    def composer(self) -> Composer:
        return Composer(self.clock, self.ids, self.store.preferences, self.email)

    async def welcome(self, event: EventKey = EVENT) -> None:
        handler = WelcomeUserHandler(self.store.intake, self.composer, self.signals)
        await handler(WelcomeUser(event, contact()))

    async def notify(self, *commands: NotifyExecutionEnded) -> None:
        handler = NotifyExecutionsEndedHandler(self.store.intake, self.composer, self.signals)
        await handler(commands)

    async def deliver(self, *outcomes: Outcome) -> ScriptedChannel:
        """Attempt what is due now, once."""
        channel = ScriptedChannel(*outcomes)
        handler = AttemptDeliveryHandler(
            inbox=self.store.inbox,
            mails=self.store.mails,
            safe=MAIL_SAFE,
            contacts=self.store.contacts,
            preferences=self.store.preferences,
            queue=self.store.queue,
            dead_letters=self.store.dead_letters,
            channel=channel,
            policy=POLICY,
            clock=self.clock,
            ids=self.ids,
            chance=FixedChance(0.5),
            signals=self.signals,
            store_pause=0,
        )
        for pending in await self.store.queue.claim(self.clock.now(), 10):
            await handler(AttemptDelivery(pending))
        return channel

    @property
    def statuses(self) -> list[DeliveryStatus]:
        return [each.status for each in self.store.tables.attempts if each.channel == "email"]


@pytest.fixture
def world() -> World:
    return World()


async def test_a_newcomer_is_known_welcomed_and_mailed(world: World) -> None:
    await world.welcome()
    channel = await world.deliver()

    assert await world.store.contacts.get(ALICE) == contact()
    assert world.signals.types == ["user.welcome"]
    assert [letter.to.email for letter in channel.letters] == ["alice@example.org"]
    assert world.statuses == [DeliveryStatus.DELIVERED]


async def test_a_welcome_that_comes_again_is_neither_shown_nor_counted(world: World) -> None:
    await world.welcome()
    await world.welcome()

    assert world.signals.types == ["user.welcome"]
    assert await world.store.inbox.latest(ALICE) == 1
    assert await world.store.queue.depth() == 1


async def test_the_inbox_is_a_delivery_too(world: World) -> None:
    await world.welcome()

    [attempt] = world.store.tables.attempts

    assert (attempt.channel, attempt.status, attempt.target) == ("inbox", "delivered", "alice")


async def test_without_a_mail_server_nothing_is_queued() -> None:
    world = World(email=False)

    await world.welcome()

    assert await world.store.inbox.latest(ALICE) == 1
    assert await world.store.queue.depth() == 0


async def test_whoever_wants_no_mail_gets_the_inbox_alone(world: World) -> None:
    await world.store.preferences.put(ALICE, Preferences(email=False))

    await world.welcome()

    assert await world.store.inbox.latest(ALICE) == 1
    assert await world.store.queue.depth() == 0


async def test_mail_that_is_no_longer_wanted_is_not_sent(world: World) -> None:
    await world.welcome()
    await world.store.preferences.put(ALICE, Preferences(email=False))

    channel = await world.deliver()

    assert channel.letters == []
    assert await world.store.queue.depth() == 0
    assert len(world.signals.dropped) == 1


async def test_an_execution_that_no_user_started_is_nobodys_news(world: World) -> None:
    await world.notify(NotifyExecutionEnded(EVENT, replace(COMPLETED, owner=None)))

    assert world.store.tables.notifications == []


async def test_of_executions_that_ended_together_each_is_news_to_its_owner(world: World) -> None:
    facts = (COMPLETED, replace(COMPLETED, owner=None), replace(COMPLETED, owner=BOB), COMPLETED)
    names = ("e1", "e2", "e3", "e1")

    await world.notify(
        *(
            NotifyExecutionEnded(EventKey("/autoworker/workflow", name), fact)
            for name, fact in zip(names, facts, strict=True)
        )
    )

    assert world.signals.types == ["execution.completed"] * 2
    assert await world.store.inbox.latest(ALICE) == 1
    assert await world.store.inbox.latest(BOB) == 1


async def test_a_deferred_mail_is_tried_again_later(world: World) -> None:
    await world.welcome()

    await world.deliver(Deferred("451 later"))
    at_once = await world.deliver()
    world.clock.advance(5)
    in_time = await world.deliver()

    assert at_once.letters == []
    assert len(in_time.letters) == 1
    assert world.statuses == [DeliveryStatus.RETRYING, DeliveryStatus.DELIVERED]


async def test_a_repetition_carries_the_same_id(world: World) -> None:
    await world.welcome()

    first = await world.deliver(Deferred("451 later"))
    world.clock.advance(60)
    second = await world.deliver()

    assert first.letters == second.letters


async def test_a_refused_mail_is_not_tried_again(world: World) -> None:
    await world.welcome()

    await world.deliver(Refused("550 no such user"))

    assert world.statuses == [DeliveryStatus.FAILED]
    assert await world.store.queue.depth() == 0


async def test_a_mail_that_never_gets_through_is_given_up(world: World) -> None:
    await world.welcome()

    for _ in range(5):
        await world.deliver(Deferred("451 later"))
        world.clock.advance(3_600)

    assert world.statuses == ["retrying", "retrying", "failed"]
    assert [each.number for each in world.signals.attempts] == [1, 2, 3]


async def test_mail_waits_for_an_address_that_is_still_on_its_way(world: World) -> None:
    await world.notify(NotifyExecutionEnded(EventKey("/autoworker/workflow", "e1"), COMPLETED))
    too_early = await world.deliver()
    await world.store.intake.settle(EVENT, Effect(contact=contact()))
    world.clock.advance(60)

    in_time = await world.deliver()

    assert too_early.letters == []
    assert [letter.message.type for letter in in_time.letters] == ["execution.completed"]


async def test_what_was_sent_is_recorded_though_the_store_fails_for_a_while(world: World) -> None:
    world.store.queue = FlakyQueue(world.store.tables, failures=2)
    await world.welcome()

    channel = await world.deliver()

    assert len(channel.letters) == 1
    assert world.statuses == [DeliveryStatus.DELIVERED]


async def test_reading_somebody_elses_notification_is_reading_nothing(world: World) -> None:
    await world.store.intake.settle(EVENT, Effect(notification=notification("n1", BOB)))

    with pytest.raises(NotificationNotFound):
        await MarkReadHandler(world.store.inbox, world.clock)(MarkRead(ALICE, "n1"))


async def test_preferences_that_are_not_named_stay(world: World) -> None:
    handler = UpdatePreferencesHandler(world.store.preferences)

    assert await handler(UpdatePreferences(ALICE, email=False)) == Preferences(email=False)
    assert await handler(UpdatePreferences(ALICE, email=None)) == Preferences(email=False)


async def test_a_watch_replays_and_goes_on_live_without_a_gap(world: World) -> None:
    await put(world, 1, 250)
    stream = await WatchNotificationsHandler(world.store.inbox)(WatchNotifications(ALICE, 0))

    seen = [await take(stream, 249)]
    await put(world, 250, 260)
    seen.append(await take(stream, 10))

    assert sum(seen, []) == [*range(1, 260)]  # noqa: RUF017 -- two lists
    await stream.aclose()


async def test_a_watch_from_now_on_leaves_out_what_was(world: World) -> None:
    await put(world, 1, 4)
    stream = await WatchNotificationsHandler(world.store.inbox)(WatchNotifications(ALICE))

    await put(world, 4, 6)

    assert await take(stream, 2) == [4, 5]
    await stream.aclose()


class FlakyQueue(MemoryDeliveryQueue):
    """Cannot record at first."""

    def __init__(self, tables: Tables, failures: int) -> None:
        super().__init__(tables)
        self.failures = failures

    async def settle(self, attempt: Attempt, again: PendingDelivery | None) -> None:
        """See `DeliveryQueue.settle`."""
        if self.failures:
            self.failures -= 1
            raise Unavailable("The disk is full.")
        await super().settle(attempt, again)


async def put(world: World, first: int, end: int) -> None:
    for number in range(first, end):
        new = replace(notification(f"n{number}"), created_at=later(number))
        await world.store.intake.settle(EventKey("/test", str(number)), Effect(notification=new))


async def take(stream: AsyncGenerator[Notification, None], count: int) -> list[int]:
    return [(await anext(stream)).position for _ in range(count)]
