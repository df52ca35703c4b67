"""In the pure core, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import msgspec
import pytest

from autoworker.testing import MockedWorld, Observed, Rehearsal, verdict
from autoworker.testing.purse import Purse
from autoworker.testing.showing import observed
from autoworker.testing.steps import Played
from tests.conformance.scenario import Scenario
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.definition.validation import check_document
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.expressions import Expressions

_EXPRESSIONS = Expressions()


def refusals(scenario: Scenario) -> list[tuple[str, str]]:
    """Where the definition is wrong, and why."""
    problems = check_document(scenario.document(), _EXPRESSIONS, served=None)
    return [(problem.field, problem.message) for problem in problems]


def play(
    scenario: Scenario,
    *,
    limits: Limits | None = None,
    committed: Callable[[Rehearsal], None] | None = None,
) -> Observed:
    """Run it to where nothing moves any more."""
    definition = _definition(msgspec.json.encode(scenario.document()))
    purse = Purse(scenario.secrets)
    world = MockedWorld(scenario.mocks, purse)
    rehearsal = Rehearsal(
        definition,
        world,
        lent=purse.lent(definition.secrets),
        plays=[Played(step) for step in scenario.steps],
        limits=limits,
        committed=committed,
    )
    rehearsal.run(scenario.input)
    return observed(rehearsal, world.calls)


@cache
def _definition(document: bytes) -> Definition:
    try:
        return parse_definition(msgspec.json.decode(document), _EXPRESSIONS, served=None)
    except DefinitionInvalid as refused:
        told = [f"  {each.field}  {each.message}" for each in refused.details]
        pytest.fail("\n".join(["the definition is not accepted", *told]), pytrace=False)


def check(
    scenario: Scenario, found: Observed, *, ordered_calls: bool = True, when: str = ""
) -> None:
    """Fail with what is different from what the scenario expects, and with everything that happened."""
    differences = verdict(scenario.expect, found, ordered_calls=ordered_calls)
    if differences:
        said = [f"{scenario.name}{when}", *(f"  ✗ {each}" for each in differences)]
        pytest.fail("\n".join([*said, found.described()]), pytrace=False)
