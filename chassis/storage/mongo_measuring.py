"""What MongoDB is asked, and how long it takes, as metrics."""

from typing import Final

from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from chassis.telemetry import metrics

_SECONDS: Final = metrics.histogram(
    "store_command_duration_seconds", "Commands of the store, until answered.", ["store", "command"]
)
_FAILED: Final = metrics.counter(
    "store_command_failures_total", "Commands that failed or got no answer.", ["store", "command"]
)


class Measured(CommandListener):
    """Counts what is asked of the server and how long it takes."""

    def __init__(self, store: str) -> None:
        self._store = store

    def started(self, event: CommandStartedEvent) -> None:
        """Nothing yet."""

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """It was answered."""
        child = _SECONDS.child(self._store, event.command_name)
        child.observe(event.duration_micros / 1e6)

    def failed(self, event: CommandFailedEvent) -> None:
        """It failed, or no answer came."""
        _FAILED.child(self._store, event.command_name).inc()
