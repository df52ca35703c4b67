"""In the core, with a crash after every commit.

What an engine keeps is what it has recorded; everything else dies with its process. So the scenario is run once for each
commit that it makes, and after that commit the state is rebuilt from the recorded events, as they are stored, and the
effects under way are asked for again. Commits are made as small as the core can make them: one task each. On the way
the events are also applied one by one, with the state written and read between any two.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from autoworker.testing import Observed, Rehearsal
from tests.conformance.scenario import Scenario
from tests.conformance.ways.core import play
from workflow_service.domain.execution.effects import Effect
from workflow_service.domain.execution.evolve import evolve
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.state import NotStarted, State

SMALL_COMMITS = Limits(tasks_per_advance=1)
_TAKEN_OVER = "execution-recovered"


class Journal:
    """Watches a rehearsal: counts its commits, and crashes it after one of them.

    Args:
        crash_after: after which commit it crashes; None: never.
    """

    def __init__(self, crash_after: int | None = None) -> None:
        self.commits = 0
        self._crash_after = crash_after
        self._applied = 0
        self._state: State = NotStarted()
        self._known: dict[int, Effect] = {}

    def __call__(self, rehearsal: Rehearsal) -> None:
        """A commit was made."""
        self.commits += 1
        self._follow(rehearsal)
        for effect in rehearsal.asked:
            known = self._known.setdefault(effect.number, effect)
            assert known == effect, f"an effect was repeated as another one: {known} and {effect}"
        if self.commits == self._crash_after:
            rehearsal.crash()

    def _follow(self, rehearsal: Rehearsal) -> None:
        for each in rehearsal.recorded[self._applied :]:
            state = evolve(self._state, each.event, each.at)
            self._state = msgspec.json.decode(msgspec.json.encode(state), type=State)
            self._applied += 1
        assert self._state == rehearsal.state, "the recorded events do not lead to the state"


def play_with_crashes(scenario: Scenario) -> Iterator[tuple[int, Observed]]:
    """Run it once for each of its commits, each time with a crash after that one."""
    calm = Journal()
    play(scenario, limits=SMALL_COMMITS, committed=calm)
    for number in range(1, calm.commits + 1):
        found = play(scenario, limits=SMALL_COMMITS, committed=Journal(number))
        yield number, _without_takeover(found)


def _without_takeover(found: Observed) -> Observed:
    facts = [fact for fact in found.facts if fact.kind != _TAKEN_OVER]
    return msgspec.structs.replace(found, facts=facts)
