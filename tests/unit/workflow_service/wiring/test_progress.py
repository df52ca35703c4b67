"""Whoever watches an execution is woken by its changes, and never waits for one that has been."""

from __future__ import annotations

import asyncio

from workflow_service.adapters.progress import LocalProgress


async def test_a_change_wakes_all_who_wait_for_it() -> None:
    progress = LocalProgress()
    waiting = [asyncio.ensure_future(progress.wait("e1", 3, 60)) for _ in range(3)]
    other = asyncio.ensure_future(progress.wait("e2", 0, 60))
    await asyncio.sleep(0)

    progress.changed("e1", 4, ended=False)

    await asyncio.wait_for(asyncio.gather(*waiting), 20)
    assert not other.done()
    other.cancel()


async def test_a_change_before_the_wait_is_not_missed() -> None:
    progress = LocalProgress()
    progress.changed("e1", 4, ended=True)

    await asyncio.wait_for(progress.wait("e1", 3, 60), 20)


async def test_a_change_that_was_seen_is_not_waited_for() -> None:
    progress = LocalProgress()
    progress.changed("e1", 4, ended=False)
    waiting = asyncio.ensure_future(progress.wait("e1", 4, 60))
    await asyncio.sleep(0)

    assert not waiting.done()
    progress.changed("e1", 5, ended=False)
    await asyncio.wait_for(waiting, 20)


async def test_a_wait_ends_after_its_time() -> None:
    await asyncio.wait_for(LocalProgress().wait("e1", 0, 0), 20)


async def test_nothing_is_kept_of_those_who_left() -> None:
    progress = LocalProgress(remembered=3)
    for number in range(10):
        await progress.wait(f"e{number}", 0, 0)
        progress.changed(f"e{number}", 1, ended=True)
    waiting = asyncio.ensure_future(progress.wait("late", 0, 60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert not progress._waiting
    assert len(progress._sequences) == 3
