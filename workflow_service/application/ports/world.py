"""Where effects are performed, and who watches."""

from __future__ import annotations

from typing import Protocol

from workflow_service.domain.execution.effects import Effect, Outcome


class Runner(Protocol):
    """Performs effects. Failures of the called are outcomes, not exceptions."""

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended.

        An exception means that the runner itself is broken or was cancelled; the effect then stays pending.
        """
        ...


class Progress(Protocol):
    """Tells those who watch an execution that there is more to see, in this process."""

    def changed(self, execution: str, sequence: int, *, ended: bool) -> None:
        """Say that *execution* is now at *sequence*."""
        ...

    async def wait(self, execution: str, after: int, timeout: float) -> None:
        """Return when there may be events above *after*, or after *timeout* seconds."""
        ...
