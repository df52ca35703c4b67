"""What the core refuses.

ServiceError
└── Conflict
    └── CommandRefused
"""

from __future__ import annotations

from chassis.errors import Conflict


class CommandRefused(Conflict):
    """A person asked for what the execution's phase does not allow."""

    def __init__(self, verb: str, phase: str) -> None:
        super().__init__(f"an execution that is {phase} cannot be {verb}")
        self.phase = phase
