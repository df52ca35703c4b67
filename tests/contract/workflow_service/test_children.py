"""What a store must know of executions that tasks of other executions run."""

from __future__ import annotations

from tests.contract.workflow_service.adapters import Stores, append
from tests.support.executions import beginning, completing
from workflow_service.application.children_ports import OpenChild
from workflow_service.application.ports import ExecutionFilter
from workflow_service.domain.execution.origin import ParentTask, ScheduledStart

PARENT = ParentTask("p1", "/do/0/go", 3, 1, awaited=True)


async def test_where_an_execution_comes_from_is_kept(stores: Stores) -> None:
    tick = ScheduledStart("shop.order", "cron", beginning("x").at)
    await append(stores, beginning("a", origin=PARENT), beginning("b", origin=tick), beginning("c"))

    found = [await stores.summaries.get("default", name) for name in "abc"]
    assert [summary.origin for summary in found if summary] == [PARENT, tick, None]


async def test_the_children_of_one_are_listed(stores: Stores) -> None:
    other = ParentTask("p2", "/do/0/go", 1, 1, awaited=True)
    await append(
        stores, beginning("a", origin=PARENT), beginning("b", origin=other), beginning("c")
    )

    page = await stores.summaries.list(ExecutionFilter(tenant="default", parent="p1"), 10, None)
    assert [summary.execution for summary in page.items] == ["a"]
    page = await stores.summaries.list(ExecutionFilter(tenant="other", parent="p1"), 10, None)
    assert page.items == ()


async def test_open_children_are_found_page_by_page(stores: Stores) -> None:
    ended = beginning("b", origin=PARENT)
    await append(stores, beginning("c", origin=PARENT), beginning("a", origin=PARENT))
    await append(stores, ended, completing(ended), beginning("d"))

    first = await stores.children.open_children("", 1)
    assert first == [OpenChild("a", "default", "ada", PARENT)]
    assert [child.execution for child in await stores.children.open_children("a", 9)] == ["c"]


async def test_those_that_have_ended_are_found_among_many(stores: Stores) -> None:
    first, second = beginning("a", origin=PARENT), beginning("b", origin=PARENT)
    await append(stores, first, second, completing(second, {"done": True}))

    (found,) = await stores.children.ended_among(["a", "b", "never"])
    assert (found.execution, found.output) == ("b", {"done": True})
    assert await stores.children.ended_among([]) == []
