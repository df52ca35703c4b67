import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from chassis.audit import AuditEntry, nothing_changed
from chassis.audit.recorder import Recorder
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.storage.companions import Transaction, accompanied
from tests.support.time import eventually


class ListSink:
    """Keeps entries in a list, unless it is away."""

    def __init__(self) -> None:
        self.kept: list[AuditEntry] = []
        self.away = False

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        if self.away:
            raise Unavailable("away")
        self.kept += entries

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        self.kept.append(entry)

    def actions(self) -> list[str]:
        return [entry.action for entry in self.kept]


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@asynccontextmanager
async def running(recorder: Recorder) -> AsyncIterator[None]:
    async with Supervisor() as supervisor:
        _ = supervisor.start("audit", recorder.run())
        yield


async def test_a_change_is_kept_before_whoever_told_it_goes_on(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    async with running(recorder):
        recorder.record("secret_set", actor="u1")
        await recorder.settled()

        assert sink.actions() == ["secret_set"]


async def test_who_told_nothing_waits_for_nobody(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)

    await asyncio.wait_for(recorder.settled(), 20)


async def test_a_refusal_does_not_hold_up_anybody_and_is_kept_soon(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    async with running(recorder):
        recorder.record("login_failed", address="192.0.2.1")
        await recorder.settled()

        assert sink.kept == []
        await eventually(lambda: sink.actions() == ["login_failed"])


async def test_what_is_left_at_the_end_is_kept(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    async with running(recorder):
        await asyncio.sleep(0)
        for _ in range(30):
            recorder.record("login_failed", address="192.0.2.1")

    assert sink.actions() == ["login_failed"] * 11
    assert sink.kept[-1].data == {"repeated": 20}


async def test_whoever_told_a_change_learns_that_it_could_not_be_kept(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    sink.away = True
    async with running(recorder):
        recorder.record("secret_set")
        with pytest.raises(Unavailable):
            await recorder.settled()
        sink.away = False
        await eventually(lambda: sink.actions() == ["secret_set"])


async def test_what_there_is_no_room_for_is_counted_and_the_count_is_told(sink: ListSink) -> None:
    recorder = Recorder("auth", sink, most=2)
    sink.away = True
    for number in range(5):
        recorder.record("secret_set", target=f"s{number}")
    sink.away = False
    async with running(recorder):
        await eventually(lambda: len(sink.kept) == 3)

    assert sink.actions() == ["secret_set", "secret_set", "audit_entries_dropped"]
    assert (sink.kept[-1].target, sink.kept[-1].data) == ("secret_set", {"count": 3})


async def test_an_entry_goes_along_with_the_one_write(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    connection = sqlite3.connect(":memory:")

    with recorder.along("secret_set", target="shop"):
        first = accompanied(lambda _: 7)
        second = accompanied(lambda _: 8)
        assert (first(connection), second(connection)) == (7, 8)

    assert sink.actions() == ["secret_set"]


async def test_a_write_that_changed_nothing_is_not_told(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    connection = sqlite3.connect(":memory:")

    with recorder.along("secret_set"):
        assert accompanied(lambda _: False)(connection) is False
    with pytest.raises(ZeroDivisionError), recorder.along("secret_set"):
        accompanied(lambda _: 1 // 0)(connection)

    assert sink.kept == []


async def test_without_a_write_of_the_own_store_it_is_told_afterwards(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    async with running(recorder):
        with recorder.along("secret_set"):
            pass
        await recorder.settled()

    assert sink.actions() == ["secret_set"]


async def test_a_tenant_that_there_is_not_has_no_chain(sink: ListSink) -> None:
    recorder = Recorder("auth", sink, tenants=frozenset({"default", "acme"}))
    async with running(recorder):
        for tenant in ("acme", "nowhere"):
            recorder.record("odd", tenant=tenant)
        await recorder.settled()

    assert [(entry.tenant, entry.data) for entry in sink.kept] == [
        ("acme", {}),
        ("default", {"named_tenant": "nowhere"}),
    ]


async def test_what_changed_nothing_elsewhere_is_not_told_either(sink: ListSink) -> None:
    recorder = Recorder("auth", sink)
    async with running(recorder):
        with recorder.along("secret_set"):
            nothing_changed()
        with recorder.along("secret_deleted"):
            pass
        await recorder.settled()

    assert sink.actions() == ["secret_deleted"]
