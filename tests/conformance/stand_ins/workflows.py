"""Workflows that the tasks of scenarios run: real ones, published for each scenario."""

from __future__ import annotations

from typing import Final, Self

import msgspec
from msgspec import UNSET

from autoworker.testing.mocks import Answer, Mock
from tests.conformance.scenario import Scenario
from tests.support.gateway_client import Person
from workflow_service.domain.expressions import JsonValue

NAMESPACE: Final = "elsewhere"
"""Where scenarios find other workflows."""


class WorkflowStandIn:
    """Publishes what `call: {kind: workflow}` mocks are for: workflows that come to the first answer."""

    def __init__(self, person: Person) -> None:
        self._person = person

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        pass

    async def expect(self, name: str, scenario: Scenario) -> dict[str, str]:
        """Publish the scenario's other workflows in a namespace of their own."""
        mocks = [mock for mock in scenario.mocks if mock.call.get("kind") == "workflow"]
        for mock in mocks:
            await self._person.publish(_document(f"{name}-w", mock))
        return {NAMESPACE: f"{name}-w"} if mocks else {}

    def calls(self, name: str) -> list[dict[str, JsonValue]]:
        """Return nothing: what the others were given is looked at by themselves."""
        return []


def _document(namespace: str, mock: Mock) -> dict[str, JsonValue]:
    version = str(mock.call.get("version") or "1.0.0")
    head: JsonValue = {
        "dsl": "1.0.3",
        "namespace": namespace,
        "name": str(mock.call["name"]),
        "version": version,
    }
    answer = mock.given[0]
    tasks: list[JsonValue] = [*_check(mock), *_pause(answer), {"answer": _answer(answer)}]
    return {"document": head, "do": tasks}


def _check(mock: Mock) -> list[JsonValue]:
    """Fault when the input is not what the mock is for."""
    if "input" not in mock.call:
        return []
    wanted = msgspec.json.encode(mock.call["input"]).decode()
    wrong: JsonValue = {"type": "https://test/wrong-input", "status": 400}
    return [{"check": {"if": f"${{ . != {wanted} }}", "raise": {"error": wrong}}}]


def _pause(answer: Answer) -> list[JsonValue]:
    if answer.silent:
        return [{"hold": {"wait": {"minutes": 5}}}]
    return [{"pause": {"wait": {"milliseconds": answer.seconds * 1000}}}] if answer.seconds else []


def _answer(answer: Answer) -> JsonValue:
    if answer.error is not None:
        problem = answer.error.problem().as_json()
        return {"raise": {"error": {k: v for k, v in problem.items() if k != "instance"}}}
    output: JsonValue = None if answer.output is UNSET else answer.output
    return {"set": {"output": output}, "output": {"as": "${ .output }"}}
