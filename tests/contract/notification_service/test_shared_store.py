"""What a store must do that several processes share."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chassis.ids import RandomIds
from chassis.storage import mongo_presence
from chassis.storage.jobs import StoreUnavailable
from notification_service.adapters.mongo import store as mongo
from notification_service.adapters.mongo.store import MongoStore
from notification_service.application.ports import Effect, EventKey
from notification_service.domain.dead_letter import DeadLetterFilter
from notification_service.domain.delivery import ChannelName, DeliveryStatus
from tests.contract.notification_service.adapters import process
from tests.contract.notification_service.test_dead_letters import letter
from tests.contract.notification_service.test_deliveries import claimed, queue
from tests.support.mongodb import database_url
from tests.support.servers import mongo_url
from tests.support.tcp_proxy import TcpProxy
from tests.support.time import eventually
from tests.unit.notification_service.builders import (
    ALICE,
    NOON,
    attempt,
    later,
    mailed,
    notification,
    pending,
    pending_mail,
    sealed_mail,
)

EVENT = EventKey("/autoworker/auth", "e1")
HURRIED = "timeoutMS=1500&serverSelectionTimeoutMS=500"


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[MongoStore, MongoStore]]:
    """Two processes on one store."""
    async with process(tmp_path) as one, process(tmp_path) as other:
        yield one, other


Pair = tuple[MongoStore, MongoStore]


async def test_no_delivery_is_claimed_by_two(pair: Pair) -> None:
    one, other = pair
    ids = [f"n{number:02}" for number in range(24)]
    await queue(one, *((id_, 0) for id_ in ids))

    async def all_of(store: MongoStore) -> Sequence[str]:
        mine: list[str] = []
        while found := await claimed(store, limit=1):
            mine.extend(found)
        return mine

    found = await asyncio.gather(*(all_of(store) for store in (one, other, one, other)))

    assert sorted(itertools.chain(*found)) == ids
    assert await claimed(one, 99) == await claimed(other, 99) == []


async def test_what_one_settles_or_gives_up_is_settled_or_free_for_the_other(pair: Pair) -> None:
    one, other = pair
    await queue(one, ("done", 0), ("again", 1), ("given up", 2))
    assert await claimed(one, 5) == ["done", "again", "given up"]

    await one.queue.settle(attempt("a1", "done"), None)
    again = pending("again", attempts=1, due_at=later(30))
    await one.queue.settle(attempt("a2", "again", status=DeliveryStatus.RETRYING), again)
    assert await claimed(other, 60) == ["again"]
    one.queue.release(pending("given up"))
    await one.queue.wait(NOON, 0)

    assert await claimed(other, 5) == ["given up"]
    assert await claimed(one, 99) == []


async def test_an_event_that_both_hear_takes_effect_once(pair: Pair) -> None:
    for number in range(8):
        event = EventKey("/test", f"e{number}")
        fresh = await asyncio.gather(
            *(
                store.intake.settle(event, Effect(notification=notification(f"{number}-{which}")))
                for which, store in enumerate(pair)
            )
        )
        assert sorted(fresh) == [False, True]

    assert await pair[0].inbox.latest(ALICE) == 8


async def test_a_mail_that_both_are_asked_for_is_sent_once(pair: Pair) -> None:
    accepted = await asyncio.gather(
        *(store.mails.accept(sealed_mail(), pending_mail()) for store in pair)
    )

    assert sorted(accepted) == [False, True]
    assert await pair[0].queue.depth() == 1


async def test_positions_have_no_holes_and_no_reader_passes_one(pair: Pair) -> None:
    count = 16

    async def write(number: int) -> None:
        effect = Effect(
            notification=notification(f"n{number}"), attempt=attempt(f"a{number}", f"n{number}")
        )
        await pair[number % 2].intake.settle(EventKey("/test", str(number)), effect)

    seen: list[int] = []

    async def read() -> None:
        while len(seen) < count:
            found = await pair[0].inbox.after(ALICE, seen[-1] if seen else 0, 100)
            seen.extend(each.position for each in found)

    async with asyncio.timeout(20):
        await asyncio.gather(read(), *map(write, range(count)))

    assert seen == list(range(1, count + 1))
    logged = await pair[1].log.page(ALICE, notification_id=None, before=None, limit=100)
    assert [each.position for each in logged] == list(range(count, 0, -1))


async def test_a_dead_letter_that_both_keep_is_one(pair: Pair) -> None:
    await asyncio.gather(*(store.dead_letters.keep(letter()) for store in pair))

    [kept] = await pair[0].dead_letters.page("default", DeadLetterFilter(), before=None, limit=9)
    assert kept.times == 2


async def test_a_bell_rings_for_what_the_other_one_brings(pair: Pair) -> None:
    one, other = pair
    with one.inbox.listen(ALICE) as bell:
        async with asyncio.timeout(20):
            await bell.rung()  # for a first look
            waiting = asyncio.ensure_future(bell.rung())
            await other.intake.settle(EVENT, Effect(notification=notification()))
            await waiting


async def test_what_the_dead_had_claimed_is_taken_over_and_what_the_living_have_is_not(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = pair
    await queue(one, ("mine", 0), ("left", 1))
    assert await claimed(one, 9, limit=1) == ["mine"]
    dead = {"$set": {"holder": "dead"}}
    await one.database.collection("delivery_queue").update_one({"notification": "left"}, dead)
    await one.database.collection("nodes").insert_one({"_id": "dead", "count": 7})
    assert await claimed(other, 9) == []

    monkeypatch.setattr(mongo_presence, "EVERY", 0.02)

    async def taken_over() -> bool:
        return await claimed(other, 9) == ["left"]

    await eventually(taken_over)
    assert await claimed(other, 9) == []
    assert await claimed(one, 9) == []


async def test_who_was_taken_for_dead_does_not_postpone_what_is_anothers_now(pair: Pair) -> None:
    one, other = pair
    await queue(one, ("n1", 0))
    assert await claimed(one) == ["n1"]
    theirs = {"$set": {"holder": "other"}}
    await one.database.collection("delivery_queue").update_one({}, theirs)

    again = pending(attempts=1, due_at=later(600))
    await one.queue.settle(attempt("a1", status=DeliveryStatus.RETRYING), again)

    kept = await other.database.collection("delivery_queue").find_one({"notification": "n1"})
    assert kept is not None
    assert (kept["holder"], kept["attempts"]) == ("other", 0)
    assert len(await other.log.page(ALICE, notification_id="n1", before=None, limit=9)) == 1


async def test_an_attempt_that_is_recorded_again_is_one(pair: Pair) -> None:
    one, _ = pair
    await one.mails.accept(sealed_mail(), pending_mail())
    await one.queue.claim(NOON, 1)
    made = replace(attempt("a1", "m1"), channel=ChannelName.MAIL)

    await one.queue.settle(made, None)
    await one.queue.settle(made, None)

    logged = await one.log.page(ALICE, notification_id=None, before=None, limit=9)
    assert [each.position for each in logged] == [1]
    assert await one.mails.find("m1") is None


@asynccontextmanager
async def through_a_proxy(folder: Path) -> AsyncIterator[tuple[TcpProxy, MongoStore]]:
    """A process that reaches the store by a line that a test can cut."""
    there = urlsplit(database_url(mongo_url(), folder))
    async with TcpProxy(there.hostname or "", there.port or 0) as proxy:
        user = there.netloc.rpartition("@")[0]
        netloc = f"{user}@127.0.0.1:{proxy.port}".removeprefix("@")
        place = there._replace(netloc=netloc, query=f"directConnection=true&{HURRIED}").geturl()
        async with mongo.opened(place, node=RandomIds().new()) as store:
            yield proxy, store


async def test_a_store_that_is_away_says_so_and_comes_back(tmp_path: Path) -> None:
    async with through_a_proxy(tmp_path) as (proxy, store):
        proxy.refusing = True
        proxy.cut()
        outcomes = await asyncio.gather(
            store.intake.settle(EVENT, mailed()),
            store.mails.accept(sealed_mail(), pending_mail()),
            store.queue.claim(NOON, 1),
            store.inbox.latest(ALICE),
            store.check(),
            return_exceptions=True,
        )
        assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 5
        proxy.refusing = False

        assert await store.intake.settle(EVENT, mailed())
        assert await claimed(store) == ["n1"]


async def test_a_commit_whose_answer_is_lost_has_happened_once(tmp_path: Path) -> None:
    async with through_a_proxy(tmp_path) as (proxy, store):
        committing = lost = False

        def sent(piece: bytes) -> bytes:
            nonlocal committing
            committing = committing or b"commitTransaction" in piece
            return piece

        def answered(piece: bytes) -> bytes:
            nonlocal lost
            if committing and not lost:
                lost = True
                raise ConnectionError
            return piece

        proxy.to_server, proxy.to_client = sent, answered
        assert await store.intake.settle(EVENT, mailed())

        assert lost
        assert await store.inbox.latest(ALICE) == 1
        assert not await store.intake.settle(EVENT, mailed())
        assert await store.queue.depth() == 1
