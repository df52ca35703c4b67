"""The simulator works: it finds bugs that were put there."""

from __future__ import annotations

import pytest

from tests.simulation.finding import failures, silence
from tests.simulation.planted_bugs import BUGS, Bug
from tests.simulation.planted_event_bugs import EVENT_BUGS

_ENOUGH = 600


@pytest.mark.parametrize(
    "bug", [bug for bug in (*BUGS, *EVENT_BUGS) if not bug.rare], ids=lambda bug: bug.name
)
@pytest.mark.filterwarnings("ignore:coroutine:RuntimeWarning")  # bugs leave things undone
def test_a_planted_bug_is_found(bug: Bug) -> None:
    silence()
    with bug.planted():
        assert next(failures(range(_ENOUGH)), None) is not None, bug.what


def test_there_are_bugs_of_every_kind() -> None:
    assert len({bug.name for bug in BUGS}) >= 20
