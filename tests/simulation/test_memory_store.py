"""The simulated store keeps every promise of the port: it runs the port's own contract."""

from __future__ import annotations

import inspect
from typing import Any, cast

import pytest

from chassis.messaging.relay import EventLog
from tests.contract.workflow_service import test_event_store, test_event_store_ownership
from tests.contract.workflow_service.adapters import Stores
from tests.simulation.memory_store import MemoryEventStore, MemorySummaries, MemoryTables
from tests.support.time import ManualClock
from workflow_service.application.ports import InboundEvents


@pytest.fixture
def stores() -> Stores:
    clock = ManualClock()
    tables = MemoryTables()
    events = MemoryEventStore(tables, "first", clock.now)
    nothing: Any = None
    return Stores(
        events,
        MemorySummaries(tables),
        cast("InboundEvents", nothing),
        cast("EventLog", nothing),
        clock,
    )


def _promises() -> dict[str, object]:
    return {
        name: function
        for contract in (test_event_store, test_event_store_ownership)
        for name, function in inspect.getmembers(contract, inspect.iscoroutinefunction)
        if name.startswith("test_") and list(inspect.signature(function).parameters) == ["stores"]
    }


globals().update(_promises())


def test_there_are_promises_to_keep() -> None:
    assert len(_promises()) > 20
