"""Counts every time that a limit is reached."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chassis.errors import ServiceError
from chassis.telemetry import metrics
from workflow_service.domain.bounds import limits_in

_REACHED: Final = metrics.counter(
    "workflow_limits_reached_total",
    "How often a limit was reached, by the limit's name; see docs/limits.md.",
    ["limit"],
)
_MOST_NAMES: Final = 64
_known: set[str] = set()


def reached(limit: str) -> None:
    """Count that *limit* was reached."""
    if limit in _known or len(_known) < _MOST_NAMES:
        _known.add(limit)
        _REACHED.child(limit).inc()


@contextmanager
def counting_refusals() -> Iterator[None]:
    """Count the limits that an error which leaves the block names."""
    try:
        yield
    except ServiceError as refusal:
        for limit in limits_in([refusal.message, *(each.message for each in refusal.details)]):
            reached(limit)
        raise
