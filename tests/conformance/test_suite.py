"""Every scenario through the whole suite, over HTTP. One suite serves them all."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.conformance.scenario import Scenario, run_by
from tests.conformance.ways.core import check
from tests.conformance.ways.refusing import refusal_verdict
from tests.conformance.ways.suite import Stage, stage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The stage that all scenarios share."""
    folder = tmp_path_factory.mktemp("conformance")
    async with stage(folder, folder.name.rpartition("-")[2]) as made:
        yield made


@pytest.mark.parametrize("scenario", run_by("suite"), ids=lambda each: each.name)
async def test_the_suite_does_what_the_scenario_says(scenario: Scenario, on: Stage) -> None:
    if scenario.missing:
        pytest.skip(f"not yet: {', '.join(scenario.missing)}")
    if scenario.refused:
        assert refusal_verdict(scenario, await on.refusals(scenario)) == []
        return
    check(scenario, await on.play(scenario), ordered_calls=False)
