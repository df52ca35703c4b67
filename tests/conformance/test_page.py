"""The page about conformance says what the scenarios say."""

import pytest

from tests.conformance.page import PAGE, page, unknown
from tests.conformance.scenario import Scenario, scenarios
from tests.conformance.ways.core import refusals
from workflow_service.domain.definition.not_yet import NOT_YET


def test_the_page_is_what_the_scenarios_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make conformance-doc`"


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda each: each.name)
def test_a_scenario_names_sections_that_the_standard_has(scenario: Scenario) -> None:
    assert [entry for entry in scenario.covers if unknown(entry)] == []


def test_what_scenarios_wait_for_is_refused_until_it_is_there() -> None:
    for scenario in (each for each in scenarios() if each.missing):
        said = [message for _, message in refusals(scenario)]
        assert all(any(NOT_YET[feature] in each for each in said) for feature in scenario.missing)
