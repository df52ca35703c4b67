"""Every scenario in the core, with a crash after every commit."""

import pytest

from tests.conformance.scenario import Scenario, run_by
from tests.conformance.ways.core import check
from tests.conformance.ways.crash import play_with_crashes


@pytest.mark.parametrize(
    "scenario",
    [each for each in run_by("crash") if not each.refused],
    ids=lambda each: each.name,
)
def test_a_crash_at_any_moment_changes_nothing(scenario: Scenario) -> None:
    if scenario.missing:
        pytest.skip(f"not yet: {', '.join(scenario.missing)}")
    for commit, found in play_with_crashes(scenario):
        check(scenario, found, when=f", crashed after commit {commit}")
