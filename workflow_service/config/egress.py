"""What each host outside is given; see docs/egress.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from chassis.config import Environment


@dataclass(frozen=True, slots=True)
class EgressSettings:
    """What each host outside is given; see docs/egress.md."""

    concurrency: int
    waiting: int
    max_wait: float
    retry_share: float
    breaker_window: float
    breaker_minimum: int
    breaker_failure_rate: float
    breaker_open_for: float

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; problems are told by the environment's own check."""
        return cls(
            concurrency=env.integer(
                "AUTOWORKER_EGRESS_HOST_CONCURRENCY", 32, minimum=1, maximum=10_000
            ),
            waiting=env.integer(
                "AUTOWORKER_EGRESS_HOST_WAITING", 1000, minimum=0, maximum=1_000_000
            ),
            max_wait=env.number("AUTOWORKER_EGRESS_MAX_WAIT", 60.0, minimum=0.0, maximum=3600.0),
            retry_share=env.number("AUTOWORKER_EGRESS_RETRY_SHARE", 0.1, minimum=0.0, maximum=1.0),
            breaker_window=env.number(
                "AUTOWORKER_EGRESS_BREAKER_WINDOW", 30.0, minimum=0.1, maximum=3600.0
            ),
            breaker_minimum=env.integer(
                "AUTOWORKER_EGRESS_BREAKER_MINIMUM", 20, minimum=1, maximum=1_000_000
            ),
            breaker_failure_rate=env.number(
                "AUTOWORKER_EGRESS_BREAKER_FAILURE_RATE", 0.5, minimum=0.01, maximum=1.0
            ),
            breaker_open_for=env.number(
                "AUTOWORKER_EGRESS_BREAKER_OPEN_FOR", 10.0, minimum=0.01, maximum=3600.0
            ),
        )
