"""Security events in the log."""

from chassis.telemetry.logging import get_logger

_log = get_logger("auth.audit")

_ALARMING = frozenset({"refresh_reused", "login_throttled"})


class LogAudit:
    """The port `Audit`: one structured log event each, masked like every other."""

    def record(self, event: str, **facts: str | int | bool) -> None:
        """Write *event* with its *facts*; as a warning when somebody should look."""
        if event in _ALARMING:
            _log.warning(event, **facts)
        else:
            _log.info(event, **facts)
