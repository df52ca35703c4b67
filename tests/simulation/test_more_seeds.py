"""Five hundred more seeds, in a file of their own so that two processes share the work."""

from __future__ import annotations

import pytest

from tests.simulation.finding import failures, silence

_EACH = 25


@pytest.mark.parametrize("first", range(500, 1000, _EACH))
def test_nothing_goes_wrong_under_any_schedule(first: int) -> None:
    silence()
    bad = [failure.told() for failure in failures(range(first, first + _EACH))]
    assert not bad, "\n\n".join(bad)
