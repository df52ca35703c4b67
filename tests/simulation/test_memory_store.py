"""The simulated store keeps every promise of the port: it runs the port's own contract."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

from tests.contract.workflow_service import (
    test_event_store,
    test_event_store_ownership,
    test_intake,
    test_payloads,
)
from tests.simulation.memory_events import MemoryIntake
from tests.simulation.memory_store import MemoryEventStore, MemorySummaries, MemoryTables
from tests.support.time import ManualClock
from workflow_service.adapters.payloads.codec import THRESHOLD


@pytest.fixture
def stores() -> SimpleNamespace:
    clock = ManualClock()
    tables = MemoryTables(large=THRESHOLD)
    events = MemoryEventStore(tables, "first", clock.now)

    async def kept() -> int:
        return len(tables.payloads)

    arrivals = MemoryIntake(tables.events)
    return SimpleNamespace(
        inbound=arrivals,
        intake=arrivals,
        subscriptions=arrivals,
        events=events,
        summaries=MemorySummaries(tables),
        clock=clock,
        payloads_kept=kept,
    )


def _promises() -> dict[str, object]:
    return {
        name: function
        for contract in (test_event_store, test_event_store_ownership, test_intake, test_payloads)
        for name, function in inspect.getmembers(contract, inspect.iscoroutinefunction)
        if name.startswith("test_") and list(inspect.signature(function).parameters) == ["stores"]
    }


globals().update(_promises())


def test_there_are_promises_to_keep() -> None:
    assert len(_promises()) > 20
