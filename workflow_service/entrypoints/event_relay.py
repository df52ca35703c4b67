"""Committed facts to the bus."""

from __future__ import annotations

from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Bus
from chassis.messaging.relay import EventLog, Relay
from workflow_service.application.projections.announcements import (
    EXECUTION_ENDED,
    Wanted,
    required,
)

CHECKPOINT = "bus"
"""Name of the place that the relay has come to."""

ENDINGS = ("notification-endings", (EXECUTION_ENDED,), 100)
"""Who must miss no ending, as it subscribes: name, types, how many at once."""


def event_relay(log: EventLog, bus: Bus) -> Relay:
    """Return what publishes *log* on *bus* for as long as it runs."""
    return Relay(log, bus, name=CHECKPOINT)


def expect_listeners(bus: Bus) -> None:
    """Have *bus* keep what others must not miss, even if they have never been there yet."""
    name, types, at_once = ENDINGS
    bus.expect(name, types, at_once=at_once)


def listeners(bus: Bus) -> Wanted:
    """Return what tells whether a type is worth publishing on *bus*.

    Within one process it is known who listens, and most facts need not even be decoded. Another bus
    keeps its own books, so it gets everything that the standard requires.
    """
    return bus.has_subscribers if isinstance(bus, MemoryBus) else required
