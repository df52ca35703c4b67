"""Large data travels in short pages and batches, never in messages that nobody can take."""

from __future__ import annotations

from protos.workflow.v1 import workflow_pb2 as pb
from tests.component.workflow_service.world import User, World
from workflow_service.application.queries.paging import PAGE_BYTES
from workflow_service.domain.execution.effects import Succeeded

LARGE = 900_000


async def large(suite: World, user: User) -> pb.Execution:
    suite.callees.outcome = lambda _: Succeeded("y" * LARGE)
    return await user.start("call", "x" * LARGE, wait=10)


def size(events: list[pb.HistoryEvent]) -> int:
    return sum(len(event.data) for event in events)


async def test_a_history_of_large_facts_has_short_pages(suite: World, ada: User) -> None:
    done = await large(suite, ada)
    assert done.status == "completed"

    pages = [await ada.history(done.id)]
    while pages[-1].next_cursor:
        pages.append(await ada.history(done.id, cursor=pages[-1].next_cursor))

    found = [event for page in pages for event in page.events]
    assert [event.sequence for event in found] == list(range(1, len(found) + 1))
    assert size(found) > PAGE_BYTES
    assert len(pages) > 1
    assert all(size(list(page.events)) <= PAGE_BYTES for page in pages)
    assert [event async for event in ada.watch(done.id)] == found


async def test_a_list_of_large_executions_has_short_pages(suite: World, ada: User) -> None:
    for _ in range(3):
        await large(suite, ada)

    first = await ada.list()
    second = await ada.list(cursor=first.next_cursor)
    third = await ada.list(cursor=second.next_cursor)

    pages = (first, second, third)
    assert [len(page.executions) for page in pages] == [1, 1, 1]
    assert len({page.executions[0].id for page in pages}) == 3
    assert third.next_cursor == ""
