"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of calls and executions, and how often each load is repeated."""

    runs: int = 5
    flood: int = 6_000
    """Calls of one load."""
    alone: int = 1_000
    """Calls one after the other."""
    parked: int = 10_000
    """Executions that wait, or are open when the process is killed."""
    loop: int = 10_000
    """Iterations of a loop; others have ten times, or a tenth, of them."""
    idle_seconds: float = 20.0


TINY = Sizes(runs=1, flood=64, alone=10, parked=40, loop=20, idle_seconds=0.2)
"""Enough to see that a benchmark still works."""
