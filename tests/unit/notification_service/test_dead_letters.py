from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import msgspec
import pytest

from chassis.audit import Fact, SilentAudit
from chassis.errors import Unavailable
from chassis.messaging.port import CloudEvent
from chassis.messaging.port import DeadLetter as GivenUp
from notification_service.application.commands.discard_dead_letter import (
    DiscardDeadLetter,
    DiscardDeadLetterHandler,
)
from notification_service.application.commands.keep_dead_letter import (
    KeepDeadLetter,
    KeepDeadLetterHandler,
)
from notification_service.application.commands.redrive_dead_letters import (
    RedriveDeadLetters,
    RedriveDeadLettersHandler,
    Redriven,
)
from notification_service.application.dead_letters import of_delivery
from notification_service.domain.dead_letter import DeadLetterFilter, KeptDeadLetter
from notification_service.domain.delivery import ChannelName, DeliveryStatus, PendingDelivery
from notification_service.domain.errors import DeadLetterNotFound
from notification_service.domain.recipient import Recipient
from tests.support.time import ManualClock
from tests.unit.notification_service.builders import attempt
from tests.unit.notification_service.fakes import MemoryStore

ALL = DeadLetterFilter()
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def event(id: str, tenant: str = "acme") -> CloudEvent:
    return CloudEvent(
        id=id,
        source="/autoworker/workflow",
        type="t.ended",
        time=NOON,
        data=msgspec.Raw(b'{"a":1}'),
        extensions={"tenant": tenant},
    )


class Notes(SilentAudit):
    """An audit trail in memory."""

    def __init__(self) -> None:
        self.events: list[tuple[str, object]] = []

    def record(self, event: str, **facts: Fact) -> None:
        self.events.append((event, facts["target"]))

    def along(self, event: str, **facts: Fact) -> AbstractContextManager[None]:
        self.record(event, **facts)
        return nullcontext()


@dataclass
class World:
    """Dead letters in memory, and a bus that takes what it is offered."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON))
    audit: Notes = field(default_factory=Notes)
    offered: list[tuple[str, CloudEvent]] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    async def redeliver(self, subscription: str, event: CloudEvent) -> None:
        if event.id in self.broken:
            raise Unavailable("the broker is away")
        self.offered.append((subscription, event))

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def given_up(self, *letters: GivenUp) -> list[KeptDeadLetter]:
        keep = KeepDeadLetterHandler(self.store.dead_letters, self.clock, self.audit)
        for letter in letters:
            await keep(KeepDeadLetter(letter))
        return await self.left()

    async def left(self, tenant: str = "acme") -> list[KeptDeadLetter]:
        """The oldest first."""
        page = await self.store.dead_letters.page(
            tenant, DeadLetterFilter(), before=None, limit=100
        )
        return list(page)[::-1]

    async def redrive(
        self, *ids: str, wanted: DeadLetterFilter = ALL, dry_run: bool = False
    ) -> Redriven:
        handler = RedriveDeadLettersHandler(
            self.store.dead_letters,
            self.redeliver,
            self.store.intake,
            self.audit,
            self.clock,
            10.0,
            self.pause,
        )
        return await handler(RedriveDeadLetters("acme", ids, wanted, 100, dry_run, "ada"))


@pytest.fixture
def world() -> World:
    return World()


def ids(kept: Sequence[KeptDeadLetter]) -> list[str]:
    return [each.letter.id for each in kept]


async def test_an_event_is_offered_again_to_whoever_could_not_take_it_in(world: World) -> None:
    kept = await world.given_up(GivenUp("notification-endings", event("1"), "no such field"))
    done = await world.redrive(*ids(kept))

    assert (list(done.done), list(done.failed)) == (ids(kept), [])
    assert world.offered == [("notification-endings", event("1"))]
    assert await world.left() == []
    assert world.audit.events == [("dead_letter_redriven", kept[0].letter.id)]


async def test_a_dry_run_only_says_which(world: World) -> None:
    kept = await world.given_up(GivenUp("notification", event("1"), "x"))
    done = await world.redrive(wanted=DeadLetterFilter(service="notification"), dry_run=True)

    assert list(done.done) == ids(kept)
    assert world.offered == []
    assert await world.left() == kept
    assert world.audit.events == []


async def test_many_are_offered_with_pauses(world: World) -> None:
    await world.given_up(*(GivenUp("notification", event(str(n)), "x") for n in range(4)))
    await world.redrive()

    assert world.pauses == [0.1, 0.1, 0.1]
    assert len(world.offered) == 4


async def test_one_that_cannot_be_offered_stays_with_its_reason(world: World) -> None:
    world.broken.add("1")
    kept = await world.given_up(
        GivenUp("notification", event("1"), "x"), GivenUp("notification", event("2"), "x")
    )
    done = await world.redrive(*ids(kept))

    assert list(done.failed) == [(kept[0].letter.id, "the broker is away")]
    assert ids(await world.left()) == [kept[0].letter.id]


async def test_what_was_forged_belongs_to_no_tenant_that_it_names_and_is_never_offered(
    world: World,
) -> None:
    forged = event("1", tenant="acme")
    forged = msgspec.structs.replace(forged, extensions={"tenant": "acme", "digest": "d1"})
    honest = GivenUp("notification", event("1"), "x")
    kept = await world.given_up(GivenUp("notification", forged, "no seal", trusted=False), honest)
    (hidden,) = await world.left("default")

    assert ids(kept) != ids([hidden])
    assert world.audit.events == [("message_refused", hidden.letter.id)]
    assert not hidden.letter.redrivable
    with pytest.raises(DeadLetterNotFound):
        await world.redrive(hidden.letter.id)


async def test_what_could_not_be_published_is_shown_and_stays(world: World) -> None:
    kept = await world.given_up(GivenUp("", event("1"), "its type is too long"))
    done = await world.redrive(*ids(kept))

    assert (kept[0].letter.service, kept[0].letter.redrivable) == ("workflow", False)
    assert [letter for letter, _ in done.failed] == ids(kept)


async def test_a_delivery_is_queued_again_as_if_it_had_never_been_tried(world: World) -> None:
    recipient = Recipient("acme", "alice")
    pending = PendingDelivery("n1", recipient, ChannelName.EMAIL, 9, NOON)
    failed = attempt("a1", "n1", recipient=recipient, status=DeliveryStatus.FAILED)
    await world.store.dead_letters.keep(of_delivery(pending, failed))
    await world.redrive()

    assert await world.store.queue.claim(NOON, 10) == [replace(pending, attempts=0)]
    assert await world.left() == []


async def test_a_discarded_letter_is_gone_and_the_audit_knows(world: World) -> None:
    (kept,) = await world.given_up(GivenUp("notification", event("1"), "x"))
    discard = DiscardDeadLetterHandler(world.store.dead_letters, world.audit)
    await discard(DiscardDeadLetter("acme", kept.letter.id, "ada"))

    assert await world.left() == []
    assert world.audit.events == [("dead_letter_discarded", kept.letter.id)]
    with pytest.raises(DeadLetterNotFound):
        await discard(DiscardDeadLetter("acme", kept.letter.id, "ada"))
