"""What a stand-in promises."""

from __future__ import annotations

from typing import Protocol, Self

from tests.conformance.scenario import Scenario
from tests.support.gateway_client import Person
from workflow_service.domain.expressions import JsonValue


class StandIn(Protocol):
    """One server that all scenarios of a run share; each of them has a part of its own in it.

    It is made with the one who starts the executions, entered when the run begins, and left when it is over.
    """

    def __init__(self, person: Person) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def expect(self, name: str, scenario: Scenario) -> dict[str, str]:
        """Be ready for *scenario*, which goes by *name* here.

        Returns what has to be put in the place of what in the scenario's texts, so that its calls come here. The same
        is undone in all that comes back.
        """
        ...

    def calls(self, name: str) -> list[dict[str, JsonValue]]:
        """What the scenario has asked for so far, described as mocks see it."""
        ...
