"""What a store must know of open executions before another version of their definition is published."""

from __future__ import annotations

from tests.contract.workflow_service.adapters import Stores, append
from tests.support.executions import beginning, completing
from workflow_service.application.deployment_ports import OpenCount


async def test_open_executions_are_counted_by_version_digest_and_status(stores: Stores) -> None:
    ended = beginning("e5")
    await append(
        stores,
        beginning("e1"),
        beginning("e2"),
        beginning("e3", status="waiting"),
        beginning("e4", version="2.0.0", digest="sha256:def", owner="bob"),
        beginning("other", name="refund"),
        beginning("foreign", tenant="other"),
        ended,
        completing(ended),
    )

    found = await stores.open_of_definitions.count("default", None, "shop", "order")
    bobs = await stores.open_of_definitions.count("default", "bob", "shop", "order")

    assert list(found) == [
        OpenCount("1.0.0", "sha256:abc", "running", 2),
        OpenCount("1.0.0", "sha256:abc", "waiting", 1),
        OpenCount("2.0.0", "sha256:def", "running", 1),
    ]
    assert list(bobs) == [OpenCount("2.0.0", "sha256:def", "running", 1)]


async def test_some_of_them_are_named(stores: Stores) -> None:
    await append(stores, *(beginning(f"e{n}") for n in range(3)))
    definition = ("shop", "order", "sha256:abc")

    assert list(await stores.open_of_definitions.some("default", None, definition, 2)) == [
        "e0",
        "e1",
    ]
    assert not await stores.open_of_definitions.some("default", "bob", definition, 2)
