"""A world that consists of mocks, for rehearsals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from autoworker.testing.calls import described, is_http, perform_http
from autoworker.testing.matching import shown
from autoworker.testing.mocks import Answer, Mock
from autoworker.testing.purse import EMPTY, Purse
from autoworker.testing.rehearsal import EXECUTION
from autoworker.testing.rehearsal import Answer as Arrival
from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded
from workflow_service.domain.expressions import JsonValue


class Unmocked(Exception):
    """The workflow called something that no mock is for."""

    def __init__(self, task: str, call: dict[str, JsonValue], mocks: Sequence[Mock]) -> None:
        asked = {name: value for name, value in call.items() if name != "headers"}
        known = ", ".join(_purpose(mock) for mock in mocks) or "there are none"
        super().__init__(f"{task} calls what no mock is for: {shown(asked)} (mocks: {known})")
        self.task = task


class MockedWorld:
    """Answers every call with the first mock that is for it, and remembers what was called.

    Args:
        mocks: who answers.
        purse: secrets whose values the world gets in the place of their markers.
    """

    def __init__(self, mocks: Sequence[Mock], purse: Purse = EMPTY) -> None:
        self._purse = purse
        self.calls: list[dict[str, JsonValue]] = []
        self._mocks = mocks
        self._given = [0] * len(mocks)

    def answer(self, effect: Effect, task: str) -> Arrival:
        """Say how the call of *task* ends.

        Raises:
            Unmocked: no mock is for it.
        """
        arrival = self._answered(self._purse.revealed(effect), task)
        if arrival.outcome is None:
            return arrival
        return replace(arrival, outcome=self._purse.veiled(arrival.outcome))

    def _answered(self, effect: Effect, task: str) -> Arrival:
        if not is_http(effect) or self._means(described(effect), task):
            answer = self._next(described(effect), task)
            return Arrival(_said(answer), answer.seconds)
        given: list[Answer] = []

        def answered(call: dict[str, JsonValue]) -> Answer:
            given.append(self._next(call, task))
            return given[-1]

        outcome: Outcome | None = perform_http(EXECUTION, effect, answered)
        last = given[-1] if given else Answer(output=None)
        if given and (last.silent or last.error is not None or not _is_response(last)):
            outcome = _said(last)
        return Arrival(outcome, sum(each.seconds for each in given))

    @property
    def unused(self) -> list[Mock]:
        """The mocks that nothing has called."""
        return [mock for mock, times in zip(self._mocks, self._given, strict=True) if not times]

    def _means(self, call: dict[str, JsonValue], task: str) -> bool:
        """Whether a mock is for the call as such, and not for the requests that it makes."""
        return any(mock.call and mock.is_for(call, task) for mock in self._mocks)

    def _next(self, call: dict[str, JsonValue], task: str) -> Answer:
        self.calls.append(call)
        for number, mock in enumerate(self._mocks):
            if mock.is_for(call, task):
                times = self._given[number]
                self._given[number] += 1
                return mock.given[min(times, len(mock.given) - 1)]
        raise Unmocked(task, call, self._mocks)


def _is_response(answer: Answer) -> bool:
    return answer.is_http or answer.fails is not None


def _said(answer: Answer) -> Outcome | None:
    """The outcome of a call that is answered without a protocol."""
    if answer.silent:
        return None
    if answer.error is not None:
        return Failed(answer.error.problem())
    output = answer.body if answer.is_http else answer.output
    return Succeeded(_plain(output))


def _plain(value: object) -> JsonValue:
    return None if value is msgspec.UNSET else msgspec.json.decode(msgspec.json.encode(value))


def _purpose(mock: Mock) -> str:
    return mock.task or mock.http or mock.function or shown(mock.call)
