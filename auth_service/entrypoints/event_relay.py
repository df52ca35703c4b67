"""Committed facts to the bus."""

from typing import Final

from chassis.messaging.port import Bus
from chassis.messaging.relay import EventLog, Relay

USER_EVENTS: Final = ("notification", ("io.autoworker.auth.*",))
"""Who must miss nothing that happens to accounts: its name, and all that it may come to want."""


def event_relay(log: EventLog, bus: Bus) -> Relay:
    """What publishes *log* on *bus* for as long as it runs."""
    bus.expect(*USER_EVENTS)
    return Relay(log, bus)
