"""What a store must promise of schedules."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.contract.workflow_service.adapters import Stores
from tests.support.executions import START, at
from workflow_service.application.schedule_ports import Paused, ScheduleKey, ScheduleRecord
from workflow_service.domain.schedules.gathering import Heard, Pending
from workflow_service.domain.schedules.model import Cron, Every, On, Schedule


def record(name: str, due: float | None = 60, **changes: Any) -> ScheduleRecord:
    members: dict[str, Any] = {
        "tenant": "default",
        "namespace": "shop",
        "name": name,
        "version": "1.0.0",
        "digest": "sha256:abc",
        "owner": "ada",
        "schedule": Schedule(Every(60)),
        "begun_at": START,
        "next_at": None if due is None else at(due),
    }
    return ScheduleRecord(**members | changes)


async def kept(stores: Stores, *records: ScheduleRecord) -> None:
    for each in records:
        assert await stores.schedules.put(each, 0)


async def test_a_schedule_is_read_back_as_it_was(stores: Stores) -> None:
    schedule = Schedule(Cron("0 9 * * *", "Europe/Berlin"), missed="all", overlap="skip")
    first = record("a", schedule=schedule, paused=Paused(at(1), "bob", "why not"), missed=3)
    await kept(stores, first)

    found = await stores.schedules.get(first.key)
    assert found is not None
    assert found.record == first
    assert await stores.schedules.get(ScheduleKey("other", "shop", "a")) is None


async def test_who_has_not_seen_the_last_change_changes_nothing(stores: Stores) -> None:
    first = record("a")
    await kept(stores, first)
    found = await stores.schedules.get(first.key)
    assert found is not None
    changed = replace(first, started=1)

    assert not await stores.schedules.put(changed, 0)
    assert await stores.schedules.put(changed, found.revision)
    assert not await stores.schedules.put(replace(first, started=2), found.revision)
    assert not await stores.schedules.remove(first.key, found.revision)
    again = await stores.schedules.get(first.key)
    assert again is not None
    assert again.record == changed
    assert await stores.schedules.remove(first.key, again.revision)
    assert await stores.schedules.get(first.key) is None


async def test_what_is_due_comes_first_come_first_served(stores: Stores) -> None:
    paused = record("paused", 1, paused=Paused(at(0), "ada"))
    await kept(stores, record("late", 3), record("soon", 2), paused, record("never", None))

    assert await stores.schedules.next_due() == at(2)
    assert await stores.schedules.due(at(1), 10) == []
    found = await stores.schedules.due(at(3), 10)
    assert [each.record.name for each in found] == ["soon", "late"]
    assert [each.record.name for each in await stores.schedules.due(at(3), 1)] == ["soon"]


async def test_nothing_is_due_without_schedules(stores: Stores) -> None:
    assert await stores.schedules.next_due() is None


async def test_schedules_of_a_tenant_are_listed_by_namespace_and_name(stores: Stores) -> None:
    await kept(
        stores,
        record("b"),
        record("a"),
        record("z", namespace="a"),
        record("a", tenant="other"),
    )

    everything = await stores.schedules.list("default", ("", ""), 10)
    assert [each.key.id for each in everything] == ["a.z", "shop.a", "shop.b"]
    rest = await stores.schedules.list("default", ("a", "z"), 1)
    assert [each.key.id for each in rest] == ["shop.a"]
    assert await stores.schedules.count("default", 10) == 3
    assert await stores.schedules.count("default", 2) == 2


async def test_everybodys_schedules_are_walked_through(stores: Stores) -> None:
    await kept(stores, record("b"), record("a"), record("a", tenant="other"))
    found: list[ScheduleKey] = []
    place = ScheduleKey("", "", "")
    while page := await stores.schedules.everybodys(place, 2):
        found += [each.record.key for each in page]
        place = found[-1]

    assert [(key.tenant, key.name) for key in found] == [
        ("default", "a"),
        ("default", "b"),
        ("other", "a"),
    ]


async def test_those_that_events_start_are_found_by_their_tenant(stores: Stores) -> None:
    on = Schedule(On({"any": []}, types=("a",)))
    heard = Heard(7, (), (Pending(7, ({"order": 1},)),))
    await kept(
        stores,
        record("timed"),
        record("a", schedule=on, heard=heard),
        record("b", None, schedule=on),
        record("a", schedule=on, tenant="other"),
    )

    found = await stores.schedules.listening("default", ("", ""), 10)
    assert [each.record.name for each in found] == ["a", "b"]
    assert found[0].record.heard == heard
    rest = await stores.schedules.listening("default", ("shop", "a"), 10)
    assert [each.record.name for each in rest] == ["b"]
    again = replace(found[0].record, schedule=Schedule(Every(60)))
    assert await stores.schedules.put(again, found[0].revision)
    assert len(await stores.schedules.listening("default", ("", ""), 10)) == 1
