"""Work that several want at the same time is done once."""

from __future__ import annotations

import asyncio

import pytest

from chassis.single_flight import SingleFlight


class Work:
    """Counts how often it is done, and ends when it is told."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> int:
        self.begun += 1
        await self.may_end.wait()
        return self.begun


async def test_all_who_ask_at_the_same_time_share_one_result() -> None:
    flights, work = SingleFlight[str, int](), Work()
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(flights.run("a", work)) for _ in range(5)]
        await asyncio.sleep(0)
        work.may_end.set()

    assert [each.result() for each in asked] == [1] * 5


async def test_whoever_asks_later_begins_anew() -> None:
    flights, work = SingleFlight[str, int](), Work()
    work.may_end.set()

    assert [await flights.run("a", work), await flights.run("a", work)] == [1, 2]


async def test_a_failure_is_shared() -> None:
    flights, may_fail = SingleFlight[str, int](), asyncio.Event()

    async def failing() -> int:
        await may_fail.wait()
        raise LookupError("no")

    asked = [asyncio.ensure_future(flights.run("a", failing)) for _ in range(3)]
    await asyncio.sleep(0)
    may_fail.set()

    failures = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(each) for each in failures] == [LookupError] * 3


async def test_somebody_else_goes_on_when_the_one_who_works_is_cancelled() -> None:
    flights, work = SingleFlight[str, int](), Work()
    first = asyncio.ensure_future(flights.run("a", work))
    second = asyncio.ensure_future(flights.run("a", work))
    await asyncio.sleep(0)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    work.may_end.set()

    assert await second == 2
