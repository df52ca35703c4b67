"""The world that effects reach: services that answer, fail, dawdle, or hang, and always say the same to the same key."""

from __future__ import annotations

from random import Random

import msgspec

from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded
from workflow_service.domain.execution.problem import ERRORS, Problem

_STATUSES = (503, 404, 500)


class Services:
    """Decides how effects end: by position, call and attempt, never by who asks or when."""

    def __init__(self, seed: int, fails: float) -> None:
        self._seed = seed
        self._fails = fails
        self._attempts: dict[str, list[int]] = {}
        self.outcomes: dict[tuple[str, int], Outcome] = {}

    def outcome(self, execution: str, effect: Effect) -> Outcome:
        """Return how *effect* ends; a repetition of the same number ends the same."""
        known = self.outcomes.get((execution, effect.number))
        if known is None:
            attempts = self._attempts.setdefault(_position(execution, effect), [])
            attempts.append(effect.number)
            known = self._decide(effect, len(attempts) - 1)
            self.outcomes[execution, effect.number] = known
        return known

    def _decide(self, effect: Effect, attempt: int) -> Outcome:
        mark = _mark(effect)
        random = Random(f"{self._seed}:{mark}")
        failing = random.choice((1, 1, 2, 99)) if random.random() < self._fails else 0
        status = random.choice(_STATUSES)
        if attempt < failing:
            return Failed(Problem(ERRORS + "communication", status, "Communication Error"))
        return Succeeded({"n": random.randrange(5), "v": random.randrange(1000)})


def _position(execution: str, effect: Effect) -> str:
    return f"{execution}:{_mark(effect)}"


def _mark(effect: Effect) -> str:
    """Name the call as its author sees it: independent of the engine's keys."""
    return msgspec.json.encode(effect.call, order="sorted").decode()
