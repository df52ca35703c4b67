"""What every list of executions must do."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from chassis.errors import Invalid
from tests.contract.workflow_service.adapters import Stores
from tests.support.executions import at, beginning, completing
from workflow_service.application.ports import ExecutionFilter


async def start(stores: Stores, *names: str, **changes: Any) -> None:
    for name in names:
        await stores.events.append(beginning(name, **changes))


async def listed(stores: Stores, **wanted: Any) -> list[str]:
    found = await stores.summaries.list(ExecutionFilter(**{"tenant": "default"} | wanted), 50, None)
    return [summary.execution for summary in found.items]


async def test_one_is_found_in_its_tenant_only(stores: Stores) -> None:
    commit = beginning("e1")
    await stores.events.append(commit)

    assert await stores.summaries.get("default", "e1") == commit.summary
    assert await stores.summaries.get("other", "e1") is None
    assert await stores.summaries.get("default", "e2") is None


async def test_a_summary_changes_with_its_commit(stores: Stores) -> None:
    first = beginning("e1")
    last = completing(first, [1, 2.5, None])
    await stores.events.append(first)
    await stores.events.append(last)

    assert await stores.summaries.get("default", "e1") == last.summary
    assert (await stores.summaries.list(ExecutionFilter(tenant="default"), 5, None)).items == (
        last.summary,
    )


async def test_an_output_of_null_is_an_output(stores: Stores) -> None:
    first = beginning("e1")
    await stores.events.append(first)
    await stores.events.append(completing(first, None))

    found = await stores.summaries.get("default", "e1")

    assert found is not None
    assert found.output is None


async def test_the_newest_comes_first(stores: Stores) -> None:
    for name, seconds in (("b", 2), ("a", 3), ("c", 1)):
        await start(stores, name, created_at=at(seconds))

    assert await listed(stores) == ["a", "b", "c"]


async def test_pages_show_everything_once_also_what_began_at_the_same_time(stores: Stores) -> None:
    await start(stores, *(f"e{n}" for n in range(7)))
    await start(stores, "new", created_at=at(5))
    wanted = ExecutionFilter(tenant="default")
    found: list[str] = []
    cursor = None
    sizes = []
    while True:
        page = await stores.summaries.list(wanted, 3, cursor)
        found += [summary.execution for summary in page.items]
        sizes.append(len(page.items))
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        # What begins while somebody turns the pages does not move them.
        await start(stores, f"later-{len(found)}", created_at=at(9))

    assert found == ["new", "e6", "e5", "e4", "e3", "e2", "e1", "e0"]
    assert sizes == [3, 3, 2]


async def test_a_page_that_is_exactly_full_is_the_last(stores: Stores) -> None:
    await start(stores, "a", "b")

    page = await stores.summaries.list(ExecutionFilter(tenant="default"), 2, None)

    assert (len(page.items), page.next_cursor) == (2, None)


async def test_large_contents_make_pages_short(stores: Stores) -> None:
    await start(stores, *(f"e{n}" for n in range(5)), input="x" * 900_000)
    wanted = ExecutionFilter(tenant="default")

    page = await stores.summaries.list(wanted, 50, None)
    rest = await stores.summaries.list(wanted, 50, page.next_cursor)

    assert [s.execution for s in page.items] == ["e4", "e3"]
    assert [s.execution for s in rest.items] == ["e2", "e1"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"owner": "bob"}, ["bobs"]),
        ({"statuses": ("faulted",)}, ["bad"]),
        ({"statuses": ("faulted", "waiting")}, ["waits", "bad"]),
        ({"namespace": "bank"}, ["waits"]),
        ({"name": "refund"}, ["bobs"]),
        ({"name": "refund", "owner": "ada"}, []),
        ({"version": "2.0.0"}, ["bad"]),
        ({"created_from": at(3)}, ["waits", "bobs"]),
        ({"created_to": at(2)}, ["bad", "plain"]),
        ({"created_from": at(2), "created_to": at(3)}, ["bobs", "bad"]),
        ({"tag": "red"}, ["bobs", "plain"]),
        ({"tag": "team"}, ["bad"]),
        ({"tag": "team=a"}, ["bad"]),
        ({"tag": "team:a"}, ["bad"]),
        ({"tag": "team=b"}, []),
        ({"tag": "'; DROP TABLE executions --"}, []),
        ({"tenant": "other"}, ["foreign"]),
        ({"tenant": "other", "tag": "red"}, ["foreign"]),
        ({"tenant": "nobody"}, []),
    ],
)
async def test_filters(stores: Stores, wanted: dict[str, Any], found: list[str]) -> None:
    await start(stores, "plain", created_at=at(1), tags=["red", "big"])
    await start(
        stores, "bad", created_at=at(2), status="faulted", version="2.0.0", tags={"team": "a"}
    )
    await start(stores, "bobs", created_at=at(3), owner="bob", name="refund", tags=["red"])
    await start(stores, "waits", created_at=at(4), status="waiting", namespace="bank")
    await start(stores, "foreign", created_at=at(5), tenant="other", tags=["red", "red"])

    assert await listed(stores, **wanted) == found


def forged(value: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "!!", "é", forged([1]), forged(["a", "b"]), forged([1.5, "b"]), forged([2**80, "b"])],
)
async def test_a_forged_cursor_is_refused_by_name(stores: Stores, cursor: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await stores.summaries.list(ExecutionFilter(tenant="default"), 5, cursor)

    assert [problem.field for problem in refusal.value.details] == ["cursor"]
