"""Functions of one's own; see docs/functions.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from chassis.config import Environment


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """Functions of one's own; see docs/functions.md."""

    served: tuple[str, ...]
    """Those of this process: module:attribute."""
    at_once: int
    threads: int
    waiting: int
    heartbeat_timeout: float
    address: str | None
    """Where workers find this service, when it is not the address that it listens on."""

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; problems are told by the environment's own check."""
        return cls(
            served=env.items("AUTOWORKER_FUNCTIONS"),
            at_once=env.integer("AUTOWORKER_FUNCTIONS_AT_ONCE", 200, minimum=1, maximum=10_000),
            threads=env.integer("AUTOWORKER_FUNCTIONS_THREADS", 32, minimum=1, maximum=1000),
            waiting=env.integer(
                "AUTOWORKER_FUNCTIONS_WAITING", 100_000, minimum=1, maximum=10_000_000
            ),
            heartbeat_timeout=env.number(
                "AUTOWORKER_WORKER_HEARTBEAT_TIMEOUT", 15.0, minimum=0.2, maximum=600.0
            ),
            address=env.optional("AUTOWORKER_WORKER_ADDRESS"),
        )
