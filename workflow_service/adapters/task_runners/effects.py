"""Effects of the core, each given to the runner of its kind."""

from __future__ import annotations

from collections.abc import Mapping

from workflow_service.application.ports import Runner
from workflow_service.domain.execution.effects import Effect, Outcome


class EffectRunner:
    """The ``Runner`` port: one runner for each kind of call."""

    def __init__(self, runners: Mapping[type, Runner]) -> None:
        self._runners = runners

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended.

        Raises:
            TypeError: nobody performs this kind of call.
        """
        runner = self._runners.get(type(effect.call))
        if runner is None:
            raise TypeError(f"{type(effect.call).__name__} is not performed here")
        return await runner.perform(execution, effect)
