"""What operators see of tokens that are asked for."""

from typing import Final

from chassis.telemetry import metrics

_ASKED: Final = metrics.counter(
    "authentication_tokens_total",
    "Access tokens asked for, by what came of it: granted, refreshed, refused, unanswered.",
    ["outcome"],
)


def asked(outcome: str) -> None:
    """Count a token that was asked for; those that are kept are not."""
    _ASKED.child(outcome).inc()
