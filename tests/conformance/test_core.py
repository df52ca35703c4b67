"""Every scenario in the pure core, in virtual time."""

import pytest

from tests.conformance.scenario import Scenario, run_by
from tests.conformance.ways.core import check, play, refusals
from tests.conformance.ways.refusing import refusal_verdict


@pytest.mark.parametrize("scenario", run_by("core"), ids=lambda each: each.name)
def test_the_core_does_what_the_scenario_says(scenario: Scenario) -> None:
    if scenario.missing:
        pytest.skip(f"not yet: {', '.join(scenario.missing)}")
    if scenario.refused:
        assert refusal_verdict(scenario, refusals(scenario)) == []
        return
    check(scenario, play(scenario))
