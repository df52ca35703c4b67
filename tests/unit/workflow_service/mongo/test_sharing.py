"""What several ask for at once is done once, from its beginning for each of them."""

from __future__ import annotations

import asyncio

from workflow_service.adapters.mongo.sharing import Shared


class Work:
    """Counts how often it is done; it ends when it is let."""

    def __init__(self) -> None:
        self.begun = 0
        self.let = asyncio.Event()

    async def __call__(self) -> int:
        """Do it."""
        self.begun += 1
        number = self.begun
        await self.let.wait()
        return number


async def test_those_who_come_while_it_is_done_share_the_next_one() -> None:
    shared = Shared(work := Work())
    first = asyncio.create_task(shared())
    await asyncio.sleep(0)
    late = [asyncio.create_task(shared()) for _ in range(5)]
    await asyncio.sleep(0)
    assert work.begun == 1

    work.let.set()

    assert await asyncio.gather(first, *late) == [1, 2, 2, 2, 2, 2]
    assert await shared() == 3


async def test_a_failure_is_for_the_one_whose_turn_it_was() -> None:
    failures = [ConnectionError]

    async def work() -> str:
        await asyncio.sleep(0)
        if failures:
            raise failures.pop()
        return "done"

    shared = Shared(work)
    found = await asyncio.gather(*(shared() for _ in range(3)), return_exceptions=True)

    assert [isinstance(each, ConnectionError) for each in found] == [True, False, False]
