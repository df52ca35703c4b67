"""What every keeper of events from outside must do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.contract.workflow_service.adapters import DURABLE_STORES, Open, Stores
from tests.support.executions import at
from workflow_service.application.ports import InboundEvent


def event(name: str, **changes: Any) -> InboundEvent:
    members: dict[str, Any] = {
        "tenant": "default",
        "sender": "ada",
        "id": name,
        "source": "/sensors/1",
        "type": "sensor.warm",
    }
    return InboundEvent(**members | changes)


async def told(stores: Stores) -> list[str]:
    return [each.id for _, each in await stores.log.read_log(0, 100)]


async def test_new_events_are_counted_and_told_in_order(stores: Stores) -> None:
    assert await stores.inbound.add([event("a"), event("b")], at(0)) == 2

    assert await told(stores) == ["a", "b"]


async def test_an_event_seen_before_counts_and_is_told_no_more(stores: Stores) -> None:
    await stores.inbound.add([event("a")], at(0))

    assert await stores.inbound.add([event("a"), event("b"), event("b")], at(1)) == 1

    assert await told(stores) == ["a", "b"]


async def test_events_are_told_apart_by_tenant_and_source(stores: Stores) -> None:
    others = [event("a"), event("a", source="/sensors/2"), event("a", tenant="other")]

    assert await stores.inbound.add(others, at(0)) == 3


async def test_of_many_who_send_the_same_one_is_told(stores: Stores) -> None:
    counts = await asyncio.gather(*(stores.inbound.add([event("a")], at(0)) for _ in range(50)))

    assert sorted(counts) == [0] * 49 + [1]
    assert await told(stores) == ["a"]


async def test_nothing_is_nothing(stores: Stores) -> None:
    assert await stores.inbound.add([], at(0)) == 0
    assert await told(stores) == []


async def test_an_event_is_told_as_it_came(stores: Stores) -> None:
    full = event(
        "a",
        time=at(-5),
        subject="kitchen",
        dataschema="https://x.test/schema",
        datacontenttype="application/json",
        data=b'{"degrees": 1.50}',
        extensions={"room": "3", "tenant": "forged"},
    )
    await stores.inbound.add([full, event("b")], at(7))

    (_, first), (_, second) = await stores.log.read_log(0, 10)

    assert (first.source, first.type, first.time) == ("/sensors/1", "sensor.warm", at(-5))
    assert (first.subject, first.dataschema) == ("kitchen", "https://x.test/schema")
    assert first.data == msgspec.Raw(b'{"degrees": 1.50}')
    assert first.extensions == {"room": "3", "tenant": "default", "sender": "ada"}
    assert (second.time, second.data) == (at(7), msgspec.Raw(b""))


@pytest.mark.parametrize(
    ("media_type", "data", "value"),
    [("text/plain; charset=utf-8", "grüß".encode(), "grüß"), ("image/png", b"\x89PNG", "iVBORw==")],
)
async def test_data_that_is_no_json_is_told_as_text(
    stores: Stores, media_type: str, data: bytes, value: str
) -> None:
    await stores.inbound.add([event("a", datacontenttype=media_type, data=data)], at(0))

    ((_, found),) = await stores.log.read_log(0, 10)

    assert (found.datacontenttype, msgspec.json.decode(found.data)) == (media_type, value)


@pytest.mark.parametrize("adapter", DURABLE_STORES)
async def test_what_was_acknowledged_outlives_the_process(adapter: str, tmp_path: Path) -> None:
    open_store: Open = DURABLE_STORES[adapter]
    async with open_store(tmp_path, "first") as stores:
        await stores.inbound.add([event("a")], at(0))

    async with open_store(tmp_path, "second") as stores:
        assert await stores.inbound.add([event("a")], at(1)) == 0
        assert await told(stores) == ["a"]
