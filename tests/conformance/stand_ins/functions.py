"""Workers that serve the functions of scenarios, as anybody's workers do."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, Self

from msgspec import UNSET

from autoworker.functions import Context, FunctionFailed
from autoworker.testing.mocks import Answer, Mock
from autoworker.worker import Worker
from tests.conformance.scenario import Scenario
from tests.support.gateway_client import PASSWORD, Person, eventually
from workflow_service.domain.expressions import JsonValue


class FunctionStandIn:
    """Serves what `function:` mocks are for; a function belongs to one scenario."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._workers: list[tuple[Worker, asyncio.Future[None]]] = []
        self._calls: defaultdict[str, list[dict[str, JsonValue]]] = defaultdict(list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for worker, serving in self._workers:
            worker.stop()
            await serving

    async def expect(self, name: str, scenario: Scenario) -> dict[str, str]:
        """Serve the scenario's functions."""
        mocks = [mock for mock in scenario.mocks if mock.function]
        if mocks:
            worker = Worker(self._person.url, email=self._person.email, password=PASSWORD)
            for mock in mocks:
                self._serve(worker, mock, name)
            self._workers.append((worker, asyncio.ensure_future(worker.run(signals=False))))
            await eventually(lambda: self._served(mocks), "the scenario's functions being served")
        return {}

    def calls(self, name: str) -> list[dict[str, JsonValue]]:
        """The calls so far."""
        return self._calls[name]

    def _serve(self, worker: Worker, mock: Mock, name: str) -> None:
        function, _, version = mock.function.partition(":")
        answers = iter(mock.given)

        @worker.function(function, version=version or "1.0.0")
        async def answered(arguments: Any, _context: Context) -> Any:
            call: dict[str, JsonValue] = {
                "kind": "function",
                "name": function,
                "arguments": arguments,
            }
            self._calls[name].append({**call, "version": version} if version else call)
            answer = next(answers, mock.given[-1])
            await asyncio.sleep(answer.seconds)
            return _result(answer)

    async def _served(self, mocks: list[Mock]) -> bool:
        known = {each.name async for each in self._person.functions() if each.connected_workers}
        return {mock.function.partition(":")[0] for mock in mocks} <= known


def _result(answer: Answer) -> JsonValue:
    if answer.error is not None:
        problem = answer.error.problem()
        raise FunctionFailed(
            problem.title or "", problem.detail or "", status=problem.status, type=problem.type
        )
    assert answer.output is not UNSET, "a function answers with an output or an error"
    return answer.output
