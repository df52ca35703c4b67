"""Workflows that start by themselves, in a time that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from random import Random

import pytest

from chassis.errors import Conflict, PermissionDenied
from tests.support.engine_world import Bench, cancelled
from tests.support.schedule_world import (
    AUTHOR,
    ID,
    KEY,
    Planned,
    planned,
    runs,
    ticks_of,
    version,
)
from tests.support.time import eventually
from workflow_service.adapters.sqlite.schedules import SqliteSchedules
from workflow_service.adapters.steady_clock import SteadyClock
from workflow_service.application.caller import Caller
from workflow_service.application.engine import fire_timers
from workflow_service.application.ports import Commit
from workflow_service.application.schedule_ports import ScheduleRecord
from workflow_service.application.schedules import scheduler
from workflow_service.application.schedules.use_cases import ScheduleNotFound
from workflow_service.domain.execution.origin import ScheduledStart

QUICK = "do: [{a: {set: {x: 1}}}]"
SLOW = "do: [{a: {wait: PT1H}}]"
MINUTE = 60.0


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(scheduler, "LOOK", 0.01)
    monkeypatch.setattr(fire_timers, "_LOOK", 0.01)
    async with Bench.open() as bench:
        yield bench


def every_minute(number: str = "1.0.0", metadata: str = "{}", do: str = QUICK) -> str:
    return version(number, f"schedule: {{every: PT1M}}\n{do}", f"{{schedule: {metadata}}}")


async def has_started(bench: Bench, count: int) -> None:
    """Wait until so many executions were started, and ticked off."""

    async def there() -> bool:
        return len(await runs(bench)) == count

    await eventually(there)


async def ticked(plan: Planned, *, started: int, missed: int = 0) -> None:
    """Wait until so many ticks were ticked off."""

    async def there() -> bool:
        record = await plan.record()
        return (record.started, record.missed) == (started, missed)

    await eventually(there)


def minutes_after(begin: datetime, *numbers: int) -> list[datetime]:
    return [begin + timedelta(minutes=number) for number in numbers]


# ---------------------------------------------------------------- every, cron, after


async def test_each_tick_starts_one_execution_of_the_publisher(bench: Bench) -> None:
    begin = bench.clock.now()
    async with planned(bench) as plan:
        await plan.publish(every_minute())
        for count in (1, 2, 3):
            bench.clock.advance(MINUTE)
            await ticked(plan, started=count)
        found = await runs(bench)

    assert ticks_of(found) == minutes_after(begin, 1, 2, 3)
    assert {summary.owner for summary in found} == {"ada"}
    assert {summary.status for summary in found} == {"completed"}
    assert found[0].tags == {"schedule": ID}
    assert found[0].input == {}


async def test_a_cron_expression_is_meant_in_the_zone_of_the_document_or_of_the_operator(
    bench: Bench,
) -> None:
    nine = "schedule: {cron: '0 9 * * *'}\n" + QUICK
    async with planned(bench, zone="America/New_York") as plan:
        await plan.publish(version("1.0.0", nine))
        assert (await plan.record()).next_at == datetime.fromisoformat("2026-01-15T14:00Z")
        await plan.publish(version("1.1.0", nine, "{schedule: {timezone: Asia/Tokyo}}"))
        assert (await plan.record()).next_at == datetime.fromisoformat("2026-01-16T00:00Z")


async def test_after_starts_at_once_and_again_so_long_after_each_end(bench: Bench) -> None:
    begin = bench.clock.now()
    body = "schedule: {after: PT5M}\ndo: [{a: {wait: PT1M}}]"
    async with planned(bench) as plan:
        await plan.publish(version("1.0.0", body))
        await has_started(bench, 1)
        bench.clock.advance(MINUTE)
        await eventually(lambda: _next_is(plan, begin + timedelta(minutes=6)))
        bench.clock.advance(5 * MINUTE)
        await has_started(bench, 2)

    assert ticks_of(await runs(bench)) == minutes_after(begin, 0, 6)


@pytest.mark.parametrize("end", ["raise", "cancel"])
async def test_after_goes_on_whatever_the_end_was(bench: Bench, end: str) -> None:
    fails = "do: [{a: {raise: {error: {type: https://x.test/e, status: 500}}}}]"
    body = fails if end == "raise" else SLOW
    async with planned(bench) as plan:
        await plan.publish(version("1.0.0", f"schedule: {{after: PT5M}}\n{body}"))
        await has_started(bench, 1)
        if end == "cancel":
            (running,) = await runs(bench)
            await plan.process.cancel(cancelled(running.execution))
        await eventually(lambda: _next_is(plan, bench.clock.now() + timedelta(minutes=5)))
        bench.clock.advance(5 * MINUTE)
        await has_started(bench, 2)


async def test_after_waits_for_the_end_over_a_restart(bench: Bench) -> None:
    body = "schedule: {after: PT5M}\n" + SLOW
    async with planned(bench) as plan:
        await plan.publish(version("1.0.0", body))
        await has_started(bench, 1)
        await eventually(lambda: _awaits_something(plan))
    bench.clock.advance(61 * MINUTE)  # it ends as soon as a process is there again
    async with planned(bench) as plan:
        await eventually(lambda: _next_is(plan, bench.clock.now() + timedelta(minutes=5)))
        bench.clock.advance(5 * MINUTE)
        await has_started(bench, 2)


# ---------------------------------------------------------------- exactly once


async def test_two_processes_start_once_for_each_tick(bench: Bench) -> None:
    async with planned(bench) as first, planned(bench) as second:
        await first.publish(every_minute())
        second.scheduler.wake()
        for count in range(1, 11):
            bench.clock.advance(MINUTE)
            await ticked(first, started=count)
        found = await runs(bench)

    assert len(found) == len(set(ticks_of(found))) == 10


class Dying(SqliteSchedules):
    """Ticks nothing off any more."""

    async def put(self, record: ScheduleRecord, revision: int) -> bool:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")


@pytest.mark.parametrize("trigger", ["every: PT1M", "after: PT1M"])
async def test_who_dies_between_the_start_and_the_tick_off_starts_nothing_twice(
    bench: Bench, trigger: str
) -> None:
    async with planned(bench) as plan:
        plan.ticking.schedules = Dying(bench.database)
        await plan.publish(version("1.0.0", f"schedule: {{{trigger}}}\n{QUICK}"))
        bench.clock.advance(MINUTE)
        await has_started(bench, 1)
        assert (await plan.record()).started == 0
    async with planned(bench) as plan:
        await ticked(plan, started=1)
        assert len(await runs(bench)) == 1


async def test_a_start_that_the_store_refuses_for_a_while_is_late_and_not_lost(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "PENALTY", 0.0)
    refused: list[str] = []

    def refuse(commit: Commit) -> str:
        refused.append(commit.execution)
        return "before"

    async with planned(bench) as plan:
        await plan.publish(every_minute())
        plan.process.store.fails = refuse
        bench.clock.advance(MINUTE)
        await eventually(lambda: len(refused) > 1)
        plan.process.store.fails = lambda _: None
        await ticked(plan, started=1)

    assert {summary.execution for summary in await runs(bench)} == set(refused)


# ---------------------------------------------------------------- what was missed


@pytest.mark.parametrize(
    ("policy", "ticks", "missed"), [("skip", [], 5), ("one", [5], 4), ("all", [1, 2, 3, 4, 5], 0)]
)
async def test_after_a_downtime_the_policy_says_what_is_made_up_for(
    bench: Bench, policy: str, ticks: list[int], missed: int
) -> None:
    begin = bench.clock.now()
    async with planned(bench) as plan:
        await plan.publish(every_minute(metadata=f"{{missed: {policy}}}"))
    bench.clock.advance(5.5 * MINUTE)
    async with planned(bench) as plan:
        await ticked(plan, started=len(ticks), missed=missed)
        assert ticks_of(await runs(bench)) == minutes_after(begin, *ticks)
        assert (await plan.record()).next_at == begin + timedelta(minutes=6)


async def test_no_more_is_made_up_for_than_the_bound_allows(bench: Bench) -> None:
    async with planned(bench, most=3) as plan:
        await plan.publish(every_minute(metadata="{missed: all}"))
    bench.clock.advance(50.5 * MINUTE)
    async with planned(bench, most=3) as plan:
        await ticked(plan, started=3)


# ---------------------------------------------------------------- overlaps


@pytest.mark.parametrize(
    ("policy", "statuses"),
    [
        ("allow", ["waiting", "waiting"]),
        ("skip", ["waiting"]),
        ("cancel", ["cancelled", "waiting"]),
    ],
)
async def test_the_overlap_policy_says_what_happens_when_the_last_one_still_runs(
    bench: Bench, policy: str, statuses: list[str]
) -> None:
    async with planned(bench) as plan:
        await plan.publish(every_minute(metadata=f"{{overlap: {policy}}}", do=SLOW))
        bench.clock.advance(MINUTE)
        await ticked(plan, started=1)
        bench.clock.advance(MINUTE)
        await ticked(plan, started=len(statuses), missed=2 - len(statuses))

        assert [summary.status for summary in await runs(bench)] == statuses


# ---------------------------------------------------------------- versions


async def test_the_newest_version_drives_and_the_same_period_goes_on(bench: Bench) -> None:
    begin = bench.clock.now()
    async with planned(bench) as plan:
        await plan.publish(every_minute("1.0.0"))
        bench.clock.advance(30)
        await plan.publish(every_minute("1.1.0"))
        await plan.publish(every_minute("1.0.5"))
        record = await plan.record()
        assert (record.version, record.next_at) == ("1.1.0", begin + timedelta(minutes=1))
        bench.clock.advance(30)
        await has_started(bench, 1)

    assert [summary.version for summary in await runs(bench)] == ["1.1.0"]


async def test_a_version_without_a_schedule_ends_it(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.publish(every_minute("1.0.0"))
        await plan.publish(version("1.1.0", QUICK))
        assert await plan.schedules.get(KEY) is None
        bench.clock.advance(5 * MINUTE)
        await plan.publish(every_minute("1.2.0"))
        bench.clock.advance(MINUTE)
        await ticked(plan, started=1)


# ---------------------------------------------------------------- people


async def test_nothing_is_started_while_it_is_paused_and_nothing_is_made_up_for(
    bench: Bench,
) -> None:
    begin = bench.clock.now()
    async with planned(bench) as plan:
        await plan.publish(every_minute(metadata="{missed: all}"))
        paused = await plan.cases.pause(AUTHOR, ID, "stocktaking")
        assert paused.next_runs == ()
        assert paused.record.paused is not None
        assert (paused.record.paused.by, paused.record.paused.reason) == ("ada", "stocktaking")
        with pytest.raises(Conflict):
            await plan.cases.pause(AUTHOR, ID, "")
        bench.clock.advance(5.5 * MINUTE)
        resumed = await plan.cases.resume(AUTHOR, ID)
        assert resumed.next_runs[0] == begin + timedelta(minutes=6)
        with pytest.raises(Conflict):
            await plan.cases.resume(AUTHOR, ID)
        bench.clock.advance(30)
        await ticked(plan, started=1)


async def test_a_new_version_leaves_it_paused(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.publish(every_minute())
        await plan.cases.pause(AUTHOR, ID, "")
        await plan.publish(version("2.0.0", "schedule: {cron: '* * * * *'}\n" + QUICK))

        assert (await plan.record()).due_at is None


async def test_somebody_may_start_one_now(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.publish(every_minute())
        before = await plan.record()
        begun = await plan.cases.trigger(AUTHOR, ID)

        assert begun.origin == ScheduledStart(ID, "trigger")
        assert await plan.record() == before
        shown = await plan.cases.get(AUTHOR, ID)
        assert [run.execution for run in shown.last_runs] == [begun.execution]


async def test_a_schedule_is_everybodys_to_see_and_its_owners_to_change(bench: Bench) -> None:
    other, admin = Caller("bob", "default"), Caller("root", "default", True, True)
    async with planned(bench) as plan:
        await plan.publish(every_minute())
        bench.clock.advance(MINUTE)
        await ticked(plan, started=1)
        assert (await plan.cases.get(other, ID)).last_runs == ()
        assert (await plan.cases.get(other, ID)).record.last_execution == ""
        assert len((await plan.cases.get(admin, ID)).last_runs) == 1
        for attempt in (plan.cases.resume(other, ID), plan.cases.trigger(other, ID)):
            with pytest.raises(PermissionDenied):
                await attempt
        await plan.cases.pause(admin, ID, "")
        for stranger in (Caller("ada", "elsewhere"), Caller("root", "elsewhere", True, True)):
            with pytest.raises(ScheduleNotFound):
                await plan.cases.get(stranger, ID)


# ---------------------------------------------------------------- clocks


async def test_no_jump_of_the_clock_starts_anything_twice_or_late(bench: Bench) -> None:
    bench.engine_clock = SteadyClock(bench.clock, settle=30.0)
    chance = Random(7)
    async with planned(bench) as plan:
        await plan.publish(every_minute(metadata="{missed: all}"))
        for _ in range(50):
            by = chance.choice([-86_400, -7_200, 7_200, 86_400])
            bench.clock.set(bench.clock.now() + timedelta(seconds=by))
            for _ in range(6):
                bench.clock.advance(10)
                await _looks(plan)
            found = ticks_of(await runs(bench))
            assert len(found) == len(set(found))


async def _looks(plan: Planned) -> None:
    """Wait until the scheduler has seen what time it is: the next tick is the next minute's."""

    async def seen() -> bool:
        at, now = (await plan.record()).due_at, plan.ticking.clock.now()
        return at is not None and now < at <= now + timedelta(minutes=1)

    await eventually(seen)


async def _next_is(plan: Planned, moment: datetime) -> bool:
    return (await plan.record()).next_at == moment


async def _awaits_something(plan: Planned) -> bool:
    return bool((await plan.record()).awaited)


# ---------------------------------------------------------------- on


ORDERS = "schedule: {on: {one: {with: {type: placed}}}}\n" + QUICK
BOTH = """schedule: {on: {all: [
  {with: {type: placed}, correlate: {order: {from: .data.order}}},
  {with: {type: paid}, correlate: {order: {from: .data.order}}}]}}
"""


async def test_each_event_starts_one_execution_with_it_as_the_input(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.send("placed", {"order": 0})  # nobody waits for it yet
        await plan.publish(version("1.0.0", ORDERS))
        await plan.send("placed", {"order": 1})
        await plan.send("other", {"order": 2})
        await plan.send("placed", {"order": 3})
        await ticked(plan, started=2)
        found = await runs(bench)

    assert sorted(str(run.input) for run in found) == ["[{'order': 1}]", "[{'order': 3}]"]
    assert {run.origin for run in found} == {ScheduledStart(ID, "on")}
    assert {(run.owner, run.status) for run in found} == {("ada", "completed")}


async def test_two_processes_start_one_for_each_event(bench: Bench) -> None:
    async with planned(bench) as first, planned(bench) as second:
        await first.publish(version("1.0.0", ORDERS))
        for number in range(30):
            await second.send("placed", number)
        await has_started(bench, 30)
        await eventually(lambda: _nothing_is_pending(first))

    assert sorted(str(run.input) for run in await runs(bench)) == sorted(
        f"[{number}]" for number in range(30)
    )


async def test_what_was_gathered_is_there_after_a_restart(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.publish(version("1.0.0", BOTH + QUICK))
        await plan.send("placed", {"order": 1})
        await plan.send("placed", {"order": 2})
        await eventually(lambda: _gathers(plan, 2))
    await plan.send("paid", {"order": 2})  # while no process runs
    async with planned(bench) as plan:
        await ticked(plan, started=1)
        await plan.send("paid", {"order": 1})
        await ticked(plan, started=2)

    assert [run.input for run in await runs(bench)] == [
        [{"order": 2}, {"order": 2}],
        [{"order": 1}, {"order": 1}],
    ]


async def test_who_dies_before_a_start_is_taken_off_starts_nothing_twice(bench: Bench) -> None:
    async with planned(bench) as plan:
        plan.ticking.schedules = Dying(bench.database)
        await plan.publish(version("1.0.0", ORDERS))
        await plan.send("placed", 1)
        await has_started(bench, 1)
        assert (await plan.record()).started == 0
    async with planned(bench) as plan:
        await ticked(plan, started=1)
        assert len(await runs(bench)) == 1


async def test_events_during_a_pause_start_nothing(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.publish(version("1.0.0", ORDERS))
        await plan.cases.pause(AUTHOR, ID, "")
        await plan.send("placed", 1)
        await plan.heard_all()
        await plan.cases.resume(AUTHOR, ID)
        await plan.send("placed", 2)
        await ticked(plan, started=1)

    assert [run.input for run in await runs(bench)] == [[2]]


async def test_another_tenants_events_are_not_heard(bench: Bench) -> None:
    async with planned(bench) as plan:
        await plan.publish(version("1.0.0", ORDERS))
        await plan.send("placed", 1, tenant="elsewhere")
        await plan.send("placed", 2)
        await ticked(plan, started=1)

    assert [run.input for run in await runs(bench)] == [[2]]


async def _gathers(plan: Planned, count: int) -> bool:
    heard = (await plan.record()).heard
    return heard is not None and len(heard.gathering) == count


async def _nothing_is_pending(plan: Planned) -> bool:
    record = await plan.record()
    return record.heard is not None and not record.heard.pending
