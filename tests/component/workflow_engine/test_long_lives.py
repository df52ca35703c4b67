"""Executions that live long and carry much: what they cost does not grow with what they have behind them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator

import pytest

from tests.support.engine_world import ADA, Bench, Process, cancelled, started
from tests.support.time import eventually
from workflow_service.adapters.payloads import DamagedPayload
from workflow_service.adapters.progress import LocalProgress
from workflow_service.application.ports import Commit
from workflow_service.application.queries.get_history import GetHistory, GetHistoryHandler
from workflow_service.application.queries.paging import HistoryPages
from workflow_service.application.queries.watch_history import WatchHistory, WatchHistoryHandler
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.expressions import JsonValue

LOOP = """
do:
- walk:
    for: {each: item, in: "${ .items }"}
    do:
    - keep: {set: {items: "${ .items }", count: "${ (.count // 0) + 1 }", last: "${ $item }"}}
"""
SMALL = Limits(tasks_per_advance=50)
ITEMS: list[JsonValue] = [f"{n} " * 50 for n in range(800)]
"""More than 64 KiB."""


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with Bench.open() as opened:
        await opened.publish(LOOP)
        yield opened


async def payloads(bench: Bench) -> list[int]:
    def work(db: sqlite3.Connection) -> list[int]:
        return [size for (size,) in db.execute("SELECT length(data) FROM payloads")]

    return await bench.database.read(work)


async def stored_bytes(bench: Bench) -> int:
    def work(db: sqlite3.Connection) -> int:
        tables = "SELECT SUM(length(events)) FROM commits UNION ALL SELECT SUM(length(state)) FROM snapshots"
        return sum(size for (size,) in db.execute(tables))

    return await bench.database.read(work)


async def going(bench: Bench, process: Process, sequence: int) -> str:
    """Start, and wait until the history has come so far."""
    execution = (await process.start(started(input={"items": ITEMS}))).execution

    async def there() -> bool:
        head = await process.store.inner.head(execution)
        return head is not None and head.sequence >= sequence

    await eventually(there)
    return execution


async def test_a_loop_that_is_killed_in_its_middle_goes_on_there(bench: Bench) -> None:
    async with bench.process(limits=SMALL) as process:
        execution = await going(bench, process, 1_500)
    async with bench.process() as process:
        stored = await process.store.inner.load(execution)
        assert stored is not None
        assert len(stored.events) <= 400
        ended = await bench.ends(execution)

    assert ended.output == {"items": ITEMS, "count": 800, "last": ITEMS[-1]}
    assert len(await payloads(bench)) == 1
    assert await stored_bytes(bench) < 1_000 * len(ITEMS)


async def test_a_running_loop_is_cancelled_wherever_it_is(bench: Bench) -> None:
    async with bench.process(limits=SMALL) as process:
        execution = await going(bench, process, 1_500)
        assert (await process.cancel(cancelled(execution))).status == "cancelled"

    assert (await bench.summary(execution)).input == {"items": ITEMS}


async def test_much_data_is_committed_in_portions(bench: Bench) -> None:
    largest = 0

    def look(commit: Commit) -> None:
        nonlocal largest
        largest = max(largest, len(commit.events))

    items: list[JsonValue] = [str(n) * 2_000 for n in range(40)]
    async with bench.process(limits=Limits(advance_bytes=300_000)) as process:
        process.store.fails = look
        execution = (await process.start(started(input={"items": items}))).execution
        ended = await bench.ends(execution)

    assert ended.output == {"items": items, "count": 40, "last": items[-1]}
    assert largest < 20


async def test_a_long_history_is_watched_in_pieces_and_without_gaps(bench: Bench) -> None:
    async with bench.process() as process:
        execution = (
            await process.start(started(input={"items": [*ITEMS[:300], "x" * 70_000]}))
        ).execution
        await bench.ends(execution)
        pages = HistoryPages(bytes=500_000)
        watch = WatchHistoryHandler(process.store.inner, bench.summaries, LocalProgress(), pages)
        seen = 0
        async for batch in await watch(WatchHistory(ADA, execution)):
            assert [event.sequence for event in batch] == list(
                range(seen + 1, seen + 1 + len(batch))
            )
            assert len(batch) == 1 or sum(len(event.data) for event in batch) <= pages.bytes
            seen += len(batch)

    assert seen == len(await bench.history(execution))


async def test_a_page_of_large_events_ends_early_and_says_where_it_goes_on(bench: Bench) -> None:
    items: list[JsonValue] = [f"{n}" + "x" * 200_000 for n in range(3)]
    async with bench.process() as process:
        execution = (await process.start(started(input={"items": items}))).execution
        await bench.ends(execution)
        get = GetHistoryHandler(process.store.inner, bench.summaries)
        pages: list[int] = []
        cursor: str | None = None
        while cursor is not None or not pages:
            page = await get(GetHistory(caller=ADA, execution=execution, limit=200, cursor=cursor))
            assert sum(len(event.data) for event in page.items) <= 2 * 1024 * 1024
            pages.append(len(page.items))
            cursor = page.next_cursor

    assert len(pages) > 1
    assert sum(pages) == len(await bench.history(execution))


async def test_who_starts_a_long_loop_does_not_wait_for_its_end(bench: Bench) -> None:
    async with bench.process(limits=Limits(tasks_per_advance=5)) as process:
        summary = await process.start(started(input={"items": ITEMS}))

        assert (summary.status, process.store.commits) == ("running", 1)
        assert (await bench.ends(summary.execution)).status == "completed"


async def test_a_loop_whose_commit_fails_after_its_start_was_answered_goes_on(bench: Bench) -> None:
    failing = iter([None, None, "before", "after"])
    async with bench.process(limits=Limits(tasks_per_advance=100)) as process:
        process.store.fails = lambda _: next(failing, None)
        summary = await process.start(started(input={"items": ITEMS[:400]}))

        assert (await bench.ends(summary.execution)).output == {
            "items": ITEMS[:400],
            "count": 400,
            "last": ITEMS[399],
        }


# ------------------------------------------------------------ large values, and who reaches them


async def with_large_input(bench: Bench, process: Process, text: str) -> str:
    execution = (await process.start(started(input={"items": [text]}))).execution
    await bench.ends(execution)
    return execution


async def test_a_value_that_the_disk_has_changed_is_told_and_not_taken_for_right(
    bench: Bench,
) -> None:
    async with bench.process() as process:
        execution = await with_large_input(bench, process, "a" * 70_000)
        assert await bench.history(execution)

        changed = (
            "UPDATE payloads SET data = CAST(replace(CAST(data AS TEXT), 'aaa', 'bbb') AS BLOB)"
        )
        await bench.database.write(lambda db: db.execute(changed).close())

        with pytest.raises(DamagedPayload, match="changed"):
            await bench.history(execution)


async def test_a_reference_reaches_nothing_that_its_own_execution_has_not_stored(
    bench: Bench,
) -> None:
    async with bench.process() as process:
        hers = await with_large_input(bench, process, "a" * 70_000)
        his = await with_large_input(bench, process, "b" * 70_000)
        assert await bench.history(his)

        forged = (
            "UPDATE commits SET events_refs = (SELECT events_refs FROM commits WHERE execution = ?"
            " AND first_sequence = 1) WHERE execution = ? AND first_sequence = 1"
        )
        await bench.database.write(lambda db: db.execute(forged, (hers, his)).close())

        with pytest.raises(DamagedPayload, match="lost"):
            await bench.history(his)
