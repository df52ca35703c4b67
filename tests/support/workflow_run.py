"""Runs a workflow in the pure core, as specifications read: given a definition, when this happens, then that follows.

Every step is checked against the core's own promises: the events alone rebuild the state, stored events and states read
back as they were, and a second delivery of the same outcome changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec

from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.events import ReceivedEvent
from workflow_service.domain.execution.commands import (
    Accept,
    ReceiveEvent,
    RecordOutcome,
    Recover,
    Resume,
    Retry,
    Stimulus,
    Suspend,
    Wake,
)
from workflow_service.domain.execution.decide import Decision, decide
from workflow_service.domain.execution.effects import Effect, Failed, HttpCall, Outcome, Succeeded
from workflow_service.domain.execution.environment import Environment
from workflow_service.domain.execution.events import Event, EventEmitted, TaskEvent
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.lending import NOTHING_LENT, Lent
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.problem import ERRORS, Problem
from workflow_service.domain.execution.schedule import performing, status_of, wake_at
from workflow_service.domain.execution.state import Ended, NotStarted, Open, Performing, State
from workflow_service.domain.expressions import Expressions, JsonValue

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
_EXPRESSIONS = Expressions()
_events: msgspec.json.Decoder[list[Event]] = msgspec.json.Decoder(list[Event])
_states: msgspec.json.Decoder[State] = msgspec.json.Decoder(State)
_HEAD = "document: {dsl: '1.0.3', namespace: test, name: spec, version: '0.1.0'}\n"


def definition_of(text: str) -> Definition:
    """Compile a YAML document; its ``document`` section may be left out."""
    if not text.lstrip().startswith("document:"):
        text = _HEAD + text
    document = parse_document(text.encode(), "application/yaml")
    return parse_definition(document, _EXPRESSIONS)


def problem(kind: str = "communication", status: int = 503, **members: str) -> Problem:
    """Return a problem of one of the DSL's standard types."""
    return Problem(ERRORS + kind, status, **members)


class WorkflowRun:
    """One execution, driven by hand."""

    def __init__(
        self,
        text: str,
        *,
        limits: Limits | None = None,
        seed: int = 7,
        lent: Lent = NOTHING_LENT,
    ) -> None:
        self.lent = lent
        self.definition = definition_of(text)
        self.state: State = NotStarted()
        self.now = NOON
        self.events: list[Event] = []
        self.last: Sequence[Event] = ()
        self.asked: list[Effect] = []
        self._history: list[tuple[Event, datetime]] = []
        self._limits = limits or Limits()
        self._random = Random(seed)
        self._more = False
        self._heard = 0

    # ------------------------------------------------------------ when

    def start(
        self,
        input: JsonValue = None,
        *,
        run_at: datetime | None = None,
    ) -> WorkflowRun:
        """Accept it; null stands for no input."""
        given = {} if input is None else input
        return self.feed(Accept("e1", "default", "u1", given, run_at=run_at))

    def feed(self, stimulus: Stimulus) -> WorkflowRun:
        """Feed a stimulus and all that follows from it at once."""
        decision = self._decide(stimulus)
        self.last = decision.events
        while decision.more:
            decision = self._decide(Wake())
            self.last = (*self.last, *decision.events)
        return self

    def answer(self, output: JsonValue, *, task: str | None = None) -> WorkflowRun:
        """The (only, or named) effect under way succeeds."""
        return self._end(Succeeded(output), task)

    def fail(self, with_: Problem | None = None, *, task: str | None = None) -> WorkflowRun:
        """The (only, or named) effect under way fails."""
        return self._end(Failed(with_ or problem()), task)

    def after(self, seconds: float) -> WorkflowRun:
        """Time passes, and the engine looks at the clock."""
        self.now += timedelta(seconds=seconds)
        return self.feed(Wake())

    def hear(self, data: JsonValue = None, **attributes: JsonValue) -> WorkflowRun:
        """An event comes into the intake, of the type "a" unless said otherwise; whoever waits gets to see it."""
        self._heard += 1
        given: dict[str, JsonValue] = {"id": str(self._heard), "source": "/s", "type": "a"}
        event = ReceivedEvent(self._heard, given | attributes, data, str(data))
        happened: list[Event] = []
        for stimulus in self._listening(event):
            happened += self.feed(stimulus).last
            assert not self._decide(stimulus).events, "an event counts once"
        self.last = happened
        return self

    def suspend(self) -> WorkflowRun:
        """Somebody suspends it."""
        return self.feed(Suspend("hold on", "admin"))

    def resume(self) -> WorkflowRun:
        """Somebody resumes it."""
        return self.feed(Resume("go on", "admin"))

    def retry(self, stimulus: Retry | None = None) -> WorkflowRun:
        """Somebody retries it."""
        return self.feed(stimulus or Retry())

    def recover(self) -> WorkflowRun:
        """Another owner takes it over."""
        return self.feed(Recover("other"))

    # ------------------------------------------------------------ then

    @property
    def status(self) -> str:
        """The phase."""
        return status_of(self.state)

    @property
    def output(self) -> JsonValue:
        """The workflow's output."""
        assert isinstance(self.state, Ended), self.describe()
        assert self.state.output is not msgspec.UNSET, self.describe()
        return self.state.output

    @property
    def error(self) -> Problem:
        """What the workflow faulted with."""
        assert isinstance(self.state, Ended), self.describe()
        assert self.state.problem is not None, self.describe()
        return self.state.problem

    @property
    def opened(self) -> Open:
        """The state, which must be open."""
        assert isinstance(self.state, Open), self.describe()
        return self.state

    @property
    def pending(self) -> list[Effect]:
        """The effects whose outcome is awaited."""
        if not isinstance(self.state, Open):
            return []
        return [
            frame.activity.effect
            for frame in performing(self.state)
            if isinstance(frame.activity, Performing)
        ]

    @property
    def http(self) -> HttpCall:
        """The first of them, which must be an HTTP call."""
        call = self.pending[0].call
        assert isinstance(call, HttpCall), self.describe()
        return call

    @property
    def emitted(self) -> list[dict[str, JsonValue]]:
        """The CloudEvents that were emitted."""
        return [event.event for event in self.events if isinstance(event, EventEmitted)]

    @property
    def wakes_in(self) -> float | None:
        """Seconds until the engine looks at it by itself."""
        moment = wake_at(self.state, self.now)
        return None if moment is None else (moment - self.now).total_seconds()

    def tasks(self, kind: type[TaskEvent]) -> list[str]:
        """References of the tasks that events of one kind are about, in order."""
        return [event.task for event in self.events if isinstance(event, kind)]

    def describe(self) -> str:
        """Say all that happened, for a failed assertion."""
        return "\n".join(repr(event) for event in self.events)

    # ------------------------------------------------------------ the core's promises

    def _listening(self, event: ReceivedEvent) -> list[ReceiveEvent]:
        frames = self.state.frames.values() if isinstance(self.state, Open) else ()
        return [
            ReceiveEvent(frame.id, frame.activity.number, event)
            for frame in frames
            if isinstance(frame.activity, Listening)
        ]

    def _end(self, outcome: Outcome, task: str | None) -> WorkflowRun:
        frames = performing(self.opened)
        frame = next(f for f in frames if task is None or f.task == task)
        assert isinstance(frame.activity, Performing)
        number = frame.activity.effect.number
        self.feed(RecordOutcome(number, outcome))
        happened = self.last
        assert not self._decide(RecordOutcome(number, outcome)).events, "an outcome counts once"
        self.last = happened
        return self

    def _decide(self, stimulus: Stimulus) -> Decision:
        environment = Environment(
            self.now, self._random, self._limits, may_block=True, lent=self.lent
        )
        decision = decide(self.definition, self.state, stimulus, environment)
        self._history += [(event, self.now) for event in decision.events]
        assert fold(NotStarted(), self._history) == decision.state, "events rebuild the state"
        assert fold(self.state, [(e, self.now) for e in decision.events]) == decision.state
        assert _events.decode(msgspec.json.encode(decision.events)) == list(decision.events)
        assert _states.decode(msgspec.json.encode(decision.state)) == decision.state
        self.state = decision.state
        self.events += decision.events
        self.asked += decision.effects
        return decision


def run(text: str, input: JsonValue = None) -> WorkflowRun:
    """Start a workflow."""
    return WorkflowRun(text).start(input)
