"""What operators see of the calls to the outside."""

from typing import Final

from chassis.telemetry import metrics

_SHOWN_HOSTS: Final = 100
"""Hosts that get a line of their own; names come from workflows, so there must be an end."""
_OTHERS: Final = "other"

_REQUESTS: Final = metrics.counter(
    "egress_requests_total", "Requests to the outside, by how they ended.", ["outcome"]
)
_REPEATED: Final = metrics.counter(
    "egress_repeated_total", "Requests sent again after a lost connection.", ["failure"]
)
_BREAKER: Final = metrics.gauge(
    "egress_breaker_state",
    "Circuit breakers that have ever opened: 0 closed, 1 half-open, 2 open.",
    ["host"],
)
_shown: Final[set[str]] = set()


def ended(outcome: str) -> None:
    """Count a request that ended as *outcome*."""
    _REQUESTS.child(outcome).inc()


def repeated(failure: str) -> None:
    """Count a request that is sent again after *failure*."""
    _REPEATED.child(failure).inc()


def breaker_is(host: str, state: int) -> None:
    """Show the state of the breaker of *host*; the first hundred by name, the rest as one."""
    if host not in _shown and len(_shown) >= _SHOWN_HOSTS:
        host = _OTHERS
    _shown.add(host)
    _BREAKER.child(host).set(state)
