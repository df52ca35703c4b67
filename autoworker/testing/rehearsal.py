"""One execution in virtual time: the real core decides, and whoever tests answers for the world.

Nothing waits and nothing is called. Time jumps to the next thing that happens: an answer that arrives, a timer of the
workflow, or something that a person does. So a wait of a month takes as long as a wait of a millisecond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Protocol

import msgspec

from workflow_service.application.ports import Recorded
from workflow_service.application.projections.inbound import emitted, received
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.execution.commands import (
    Accept,
    ReceiveEvent,
    RecordOutcome,
    Recover,
    Stimulus,
    Wake,
)
from workflow_service.domain.execution.decide import decide
from workflow_service.domain.execution.effects import Effect, Outcome
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.events import Event, EventEmitted
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.lending import NOTHING_LENT, Lent
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.schedule import performing, wake_at
from workflow_service.domain.execution.state import Ended, NotStarted, Open, Performing, State
from workflow_service.domain.expressions import JsonValue

NOON: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)
EXECUTION: Final = "rehearsal"
TENANT: Final = "default"
MOST_STEPS: Final = 100_000


class NeverEnds(Exception):
    """A rehearsal took more steps than any workflow that comes to an end."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How the world answers a call: with *outcome*, *after* so many seconds."""

    outcome: Outcome | None
    """None: never."""
    after: float = 0.0


class World(Protocol):
    """Everything outside of the workflow."""

    def answer(self, effect: Effect, task: str) -> Answer:
        """Say how a call ends that *task*, a reference, makes; each number of an effect is asked about once."""
        ...


class Play(Protocol):
    """Something that a person, or another system, does to the execution."""

    def due(self, rehearsal: Rehearsal) -> datetime | None:
        """When it is to happen, as far as that is known now."""
        ...

    def act(self, rehearsal: Rehearsal) -> None:
        """Do it."""
        ...


class Rehearsal:
    """One execution of *definition* in a world of the test's own.

    Args:
        definition: what is run.
        world: who answers calls.
        plays: what people do to it, one after another.
        lent: markers of the secrets that its expressions may read.
        limits: bounds of the core.
        committed: called after every step that recorded something, as the store of an engine would be.
    """

    def __init__(
        self,
        definition: Definition,
        world: World,
        *,
        plays: Sequence[Play] = (),
        lent: Lent = NOTHING_LENT,
        limits: Limits | None = None,
        committed: Callable[[Rehearsal], None] | None = None,
    ) -> None:
        self.definition = definition
        self.state: State = NotStarted()
        self.now = NOON
        self.recorded: list[Recorded] = []
        self.asked: list[Effect] = []
        self._world = world
        self._plays = list(plays)
        self._lent = lent
        self._limits = limits or Limits()
        self._random = Random(7)  # noqa: S311 - jitter, the same in every rehearsal
        self._committed = committed
        self._intake: deque[dict[str, JsonValue]] = deque()
        self._heard = 0
        self._arrivals: dict[int, tuple[datetime, Outcome]] = {}
        self._answers: dict[int, tuple[datetime, Outcome] | None] = {}

    # ------------------------------------------------------------ when

    def run(self, given: JsonValue, *, run_at: datetime | None = None) -> None:
        """Start it with *given* and go on until nothing moves any more.

        Raises:
            NeverEnds: it goes on and on.
        """
        self.feed(Accept(EXECUTION, TENANT, "author", _own(given), run_at=run_at))
        for _ in range(MOST_STEPS):
            if not self._step():
                return
        raise NeverEnds(f"the workflow has not come to an end within {MOST_STEPS} steps")

    def feed(self, stimulus: Stimulus) -> None:
        """Let the core decide, record what it says, and ask the world for what it wants."""
        environment = Environment(
            self.now, self._random, self._limits, may_block=True, lent=self._lent
        )
        decision = decide(self.definition, self.state, stimulus, environment)
        self.state = decision.state
        for effect in decision.effects:
            self._ask(effect)
        self.record(decision.events)
        if decision.more:
            self.feed(Wake())

    def record(self, events: Sequence[Event]) -> None:
        """Keep *events*; the state has to follow from them already, or follows now."""
        at = len(self.recorded)
        self.recorded += [
            Recorded(at + number, self.now, event) for number, event in enumerate(events, 1)
        ]
        # What a task emits is in the intake as soon as it is recorded, whatever crashes then.
        self._intake.extend(event.event for event in events if isinstance(event, EventEmitted))
        if events and self._committed is not None:
            self._committed(self)

    def hear(self, event: dict[str, JsonValue]) -> None:
        """A CloudEvent comes in; those tasks that listen get to see it, in the order in which events came."""
        self._heard += 1
        told = emitted(event, self.now, TENANT, EXECUTION)
        if told is None or not isinstance(self.state, Open):
            return
        arrived = received(told, self._heard, self.now)
        for frame in list(self.state.frames.values()):
            if isinstance(frame.activity, Listening):
                self.feed(ReceiveEvent(frame.id, frame.activity.number, arrived))

    def crash(self) -> None:
        """Lose all that is not recorded, as a process that dies; another one takes the execution over."""
        kept = [
            msgspec.json.decode(msgspec.json.encode(each), type=Recorded) for each in self.recorded
        ]
        self.state = fold(NotStarted(), [(each.event, each.at) for each in kept])
        self._arrivals.clear()
        self.feed(Recover("another process"))

    # ------------------------------------------------------------ then

    @property
    def seconds(self) -> float:
        """How long it has taken so far, in its own time."""
        return (self.now - NOON).total_seconds()

    # ------------------------------------------------------------ steps

    def _step(self) -> bool:
        """Do the next thing that happens; whether there was any."""
        if isinstance(self.state, Ended):
            self._arrivals.clear()  # nobody waits for what is still under way
        if self._intake:
            self.hear(self._intake.popleft())
            return True
        play = self._plays[0] if self._plays else None
        at = play.due(self) if play is not None else None
        arrival = min(
            ((when, number) for number, (when, _) in self._arrivals.items()), default=None
        )
        moments = (at, arrival and arrival[0], wake_at(self.state, self.now))
        known = [moment for moment in moments if moment is not None]
        if not known:
            return False
        self.now = max(self.now, min(known))
        if play is not None and at is not None and at <= self.now:
            self._plays.pop(0)
            play.act(self)
        elif arrival is not None and arrival[0] <= self.now:
            _, outcome = self._arrivals.pop(arrival[1])
            self.feed(RecordOutcome(arrival[1], outcome))
        else:
            self.feed(Wake())
        return True

    def _ask(self, effect: Effect) -> None:
        """The world does what it is asked once, however often it is asked: it knows the call again."""
        self.asked.append(effect)
        if effect.number not in self._answers:
            answer = self._world.answer(effect, self._task_of(effect))
            arrives = self.now + timedelta(seconds=answer.after)
            found = None if answer.outcome is None else (arrives, answer.outcome)
            self._answers[effect.number] = found
        arrival = self._answers[effect.number]
        if arrival is not None:
            self._arrivals[effect.number] = arrival

    def _task_of(self, effect: Effect) -> str:
        frames = performing(self.state) if isinstance(self.state, Open) else []
        return next(
            frame.task
            for frame in frames
            if isinstance(frame.activity, Performing) and frame.activity.effect == effect
        )


def _own(given: JsonValue) -> JsonValue:
    """A copy that nobody else holds, of exactly the types that JSON has."""
    copy: JsonValue = msgspec.json.decode(msgspec.json.encode(given))
    return copy
