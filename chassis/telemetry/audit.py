"""Security events in the log."""

from chassis.telemetry.logging import get_logger


class LogAudit:
    """An audit trail in the log: one structured event each, masked like every other.

    Args:
        component: whose events they are.
        alarming: events that are warnings, because somebody should look.
    """

    def __init__(self, component: str, alarming: frozenset[str] = frozenset()) -> None:
        self._log = get_logger(component)
        self._alarming = alarming

    def record(self, event: str, **facts: str | int | bool) -> None:
        """Write *event* with its *facts*."""
        if event in self._alarming:
            self._log.warning(event, **facts)
        else:
            self._log.info(event, **facts)
