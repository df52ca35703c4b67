"""What operators see of a bus, whichever it is."""

from chassis.messaging.port import DeadLetter
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.messaging")

DELIVERED = metrics.counter("bus_delivered_total", "Events taken in.", ["subscription"])
DEAD = metrics.counter("bus_dead_letters_total", "Events given up.", ["subscription"])


def log_given_up(letter: DeadLetter, cause: Exception | None = None) -> None:
    """Write down that an event was given up, and why."""
    _log.error(
        "event_given_up",
        subscription=letter.subscription,
        type=letter.event.type,
        id=letter.event.id,
        reason=letter.reason,
        exc_info=cause,
    )
