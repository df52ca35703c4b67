"""Every kind of effect, given to whoever performs it."""

from __future__ import annotations

from workflow_service.adapters.functions.running import LocalFunctions
from workflow_service.application.functions.directory import Directory
from workflow_service.application.functions.dispatch import Dispatcher
from workflow_service.application.ports import Runner
from workflow_service.domain.execution.effects import Effect, FunctionCall, Outcome


class EveryRunner:
    """The ``Runner`` port: functions of this process, then those of workers; the rest goes to another runner."""

    def __init__(
        self, rest: Runner, directory: Directory, local: LocalFunctions, dispatcher: Dispatcher
    ) -> None:
        self._rest = rest
        self._directory = directory
        self._local = local
        self._dispatcher = dispatcher

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, FunctionCall):
            return await self._rest.perform(execution, effect)
        local = self._directory.local(call)
        if local is not None:
            return await self._local.perform(execution, effect, call, local.version)
        return await self._dispatcher.perform(execution, effect.key, call)
