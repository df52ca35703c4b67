"""How far an execution may go: every bound of the core, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one execution; reaching one is an error that names it. See docs/limits.md."""

    tasks_per_advance: int = 500
    """After so many tasks the facts so far are committed, and the execution goes on in another advance."""
    advance_bytes: int = 16 * 1024 * 1024
    """The same after so many bytes of outputs and contexts, as JSON: what one commit takes in memory."""
    loop_items: int = 100_000
    """How many items a ``for`` may walk."""
    compensations: int = 10_000
    """How many completed tasks of an execution may be waiting to be undone."""
    workflow_depth: int = 32
    """How deep workflows may run each other."""
    listen_queue: int = 1_000
    """How many events a listener may have taken that wait for their turn."""
    input_bytes: int = 1024 * 1024
    """How large the input of an execution may be, as JSON."""
    output_bytes: int = 1024 * 1024
    """How large the output of a task or of the workflow may be, as JSON."""
    context_bytes: int = 1024 * 1024
    """How large the context may be, as JSON."""
    default_retries: int = 10
    """How often a retry policy without a limit tries again."""
    default_delay: float = 1.0
    """Seconds before the first retry of a policy without a delay; grows exponentially, with full jitter."""
    default_delay_cap: float = 60.0
    """Seconds at which that growth ends."""
    longest_delay: float = 366 * 86_400.0
    """Seconds: the longest wait, time-out or retry delay that can be asked for."""
    schedule_horizon: float = 3_660 * 86_400.0
    """Seconds: how far ahead a start may be put off."""
