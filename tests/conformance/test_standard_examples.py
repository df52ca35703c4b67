"""The standard's own examples, where they lie beside the repository: accepted, and run with a world that is played."""

from pathlib import Path

import pytest

from autoworker.testing.cases import Case, Cases, read_as
from tests.conformance.scenario import Scenario
from tests.conformance.ways.core import check, play, refusals
from tests.conformance.ways.crash import play_with_crashes
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.not_yet import NOT_YET
from workflow_service.domain.expressions import JsonValue

EXAMPLES = Path(__file__).parents[3] / "shared" / "spec" / "open-workflow" / "examples"
CASES = Path(__file__).parent / "standard_examples.yaml"
_KNOWN = {case.name: case for case in read_as(CASES.read_bytes(), Cases, CASES.name).cases}

pytestmark = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the examples of the standard are not on this machine"
)


def test_every_example_has_a_case() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.yaml")} == set(_KNOWN)


@pytest.mark.parametrize("case", _KNOWN.values(), ids=lambda case: case.name)
def test_an_example_is_accepted_and_runs_with_and_without_crashes(case: Case) -> None:
    scenario = _scenario(case)
    refused = refusals(scenario)
    if refused:
        later = {f"{words} is not supported yet" for words in NOT_YET.values()}
        assert {message for _, message in refused} <= later
        pytest.skip(f"not yet: {', '.join(place for place, _ in refused)}")
    check(scenario, play(scenario))
    for commit, found in play_with_crashes(scenario):
        check(scenario, found, when=f", crashed after commit {commit}")


def _scenario(case: Case) -> Scenario:
    document = parse_document((EXAMPLES / f"{case.name}.yaml").read_bytes(), "application/yaml")
    assert isinstance(document, dict)
    definition: dict[str, JsonValue] = document
    return Scenario(
        name=case.name,
        covers=[],
        definition=definition,
        input=case.input,
        mocks=case.mocks,
        steps=case.steps,
        expect=case.expect,
    )
