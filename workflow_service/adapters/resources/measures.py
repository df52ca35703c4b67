"""What operators see of documents that are fetched."""

from typing import Final

from chassis.telemetry import metrics

_FETCHED: Final = metrics.counter(
    "resource_fetches_total",
    "Documents that calls refer to, asked for, by what came of it: new, unchanged, stale, failed.",
    ["outcome"],
)


def fetched(outcome: str) -> None:
    """Count a document that was asked for; those that are fresh are not."""
    _FETCHED.child(outcome).inc()
