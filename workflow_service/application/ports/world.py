"""Where effects are performed, and who watches."""

from __future__ import annotations

from typing import Protocol

from workflow_service.application.ports.summaries import Summary
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


class Sharing(Protocol):
    """Leaves executions that nobody here waits for to whichever process has room for them."""

    @property
    def works(self) -> bool:
        """Whether there are others, and they can be told at once."""
        ...

    def offer(self, accepted: Summary) -> None:
        """Tell all processes of an execution that one of them is to begin.

        A hint: it may be lost, or come twice. The store says what is due.
        """
        ...


class Alone:
    """The ``Sharing`` of a process that has nobody to share with."""

    works = False

    def offer(self, accepted: Summary) -> None:
        """Nothing to do."""
