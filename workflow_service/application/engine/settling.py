"""Going on with what an execution waits for and nobody performs: after a take-over, or a commit of unknown fate."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.application.engine.active import ActiveExecutions
from workflow_service.application.engine.load_execution import ExecutionVanished
from workflow_service.application.ports import StaleOwner
from workflow_service.domain.execution.commands import Recover, Stimulus

_log = get_logger("workflow_service.engine")

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 5.0


class Settling:
    """Takes up executions, each by one at a time."""

    def __init__(
        self,
        node: str,
        active: ActiveExecutions,
        supervisor: Supervisor,
        advance: Callable[[str, Stimulus], Awaitable[object]],
    ) -> None:
        self._node = node
        self._active = active
        self._supervisor = supervisor
        self._advance = advance
        self._under_way: set[str] = set()
        self._again: set[str] = set()
        self._stopping = False

    def stop(self) -> None:
        """Take up nothing new."""
        self._stopping = True

    def attends(self, execution: str) -> bool:
        """Whether somebody here sees to the execution."""
        active = self._active.get(execution)
        return execution in self._under_way or (active is not None and active.attended)

    def settle(self, execution: str) -> None:
        """After a commit of unknown fate: go on with what it asked for, if it is there."""
        if execution in self._under_way:
            self._again.add(execution)  # what is under way may have looked before this commit
        elif not self._stopping:
            self._under_way.add(execution)
            _ = self._supervisor.spawn("settle", self.resume(execution))

    async def succeed(self, execution: str) -> None:
        """Go on with what this process took over: what it knew of it before was another owner's."""
        with self._active.use(execution) as active:
            async with active.turn:
                active.known = None
        await self.resume(execution)

    async def resume(self, execution: str) -> None:
        """Perform what the execution waits for and nobody performs; the history says that it was taken up."""
        delay = _FIRST_DELAY
        try:
            while True:
                self._again.discard(execution)
                try:
                    await self._advance(execution, Recover(self._node))
                except Unavailable as failure:
                    _log.warning("recovery_waits", execution=execution, reason=failure.message)
                    await asyncio.sleep(delay)
                    delay = min(delay * 2, _LONGEST_DELAY)
                except (ExecutionVanished, StaleOwner):
                    return
                else:
                    if execution not in self._again:
                        return
        finally:
            self._under_way.discard(execution)
            self._again.discard(execution)
