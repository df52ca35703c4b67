"""What an execution comes to when nothing goes wrong: the pure core alone, without a shell."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from tests.simulation.outside import Services
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.commands import Accept, RecordOutcome, Stimulus, Wake
from workflow_service.domain.execution.decide import decide
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.schedule import next_due
from workflow_service.domain.execution.state import Ended, NotStarted, Open, State
from workflow_service.domain.expressions import JsonValue

_MOST_STEPS = 3000


class Endless(Exception):
    """The workflow does not come to an end within what a simulation can bear."""


def run_quietly(
    definition: Definition, accept: Accept, services: Services, limits: Limits
) -> tuple[str, JsonValue]:
    """Return the final status, and the output or the error.

    Raises:
        Endless: it took too many steps.
    """
    now = datetime(2026, 1, 1, tzinfo=UTC)
    state: State = NotStarted()
    stimuli: list[Stimulus] = [accept]
    for _ in range(_MOST_STEPS):
        if isinstance(state, Ended):
            return _ending(state)
        stimulus: Stimulus = stimuli.pop(0) if stimuli else Wake()
        if isinstance(stimulus, Wake) and isinstance(state, Open):
            due = next_due(state)
            now = now if due is None else max(now, due.at)
        decision = decide(
            definition, state, stimulus, Environment(now, Random(1), limits, may_block=True)
        )
        state = decision.state
        stimuli += [
            RecordOutcome(effect.number, services.outcome(accept.execution, effect))
            for effect in decision.effects
        ]
        if decision.more:
            stimuli.append(Wake())
    raise Endless


def _ending(state: Ended) -> tuple[str, JsonValue]:
    if state.problem is not None:
        return state.status, state.problem.as_json()
    return state.status, state.output  # type: ignore[return-value]  # it has completed
