"""What goes on is held, what somebody looks for is not, and nothing is called done that has not been written."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflow_service.adapters.mongo import backlog, holding
from workflow_service.adapters.mongo.backlog import AT_ONCE, GATHER, SOON, Backlog
from workflow_service.adapters.mongo.folding import INSERT, Write, changed
from workflow_service.adapters.mongo.holding import HOLD
from workflow_service.adapters.mongo.writes import FOLDED, LAST, Writes

SECOND = 1_000_000


def begins(name: str, position: int, **members: Any) -> Write:
    document = {"_id": name, "open": 1, "busy": 1, "nodes": [], "position": position}
    return INSERT, document | members, {}


def goes_on(name: str, position: int, **members: Any) -> Write:
    which = {"_id": name, "position": {"$lt": position}}
    return "update", which, {"$set": {"position": position, **members}, "$unset": {"x": ""}}


def ends(name: str, position: int) -> Write:
    which = {"_id": name, "position": {"$lt": position}}
    return "update", which, {"$set": {"position": position}, "$unset": {"open": "", "busy": ""}}


def told(*changes: Write, **others: dict[str, Any]) -> Writes:
    writes = Writes()
    for change in changes:
        writes.add(FOLDED, change)
    for collection, document in others.items():
        writes.insert(collection, document)
    return writes


def names(writes: Writes) -> list[str]:
    return [document["_id"] for _, document, _ in writes.of(FOLDED)]


def test_what_goes_on_is_held_until_it_ends_and_is_then_one_write() -> None:
    some = Backlog()
    some.add(1, told(begins("e1", 1)), 1, 0.0, others=True)
    assert names(some.taken(0, 0.1)) == []
    assert some.written() == []
    some.add(2, told(ends("e1", 2)), 1, 0.2, others=True)

    ((kind, document, _),) = some.taken(0, 0.3).of(FOLDED)

    assert kind == INSERT
    assert document == {"_id": "e1", "nodes": [], "position": 2}
    assert some.written() == [1, 2]
    assert some.first is None


def test_what_goes_on_for_long_is_written_as_it_is() -> None:
    some = Backlog()
    some.add(1, told(begins("e1", 1)), 1, 0.0, others=True)
    assert names(some.taken(0, 0.1)) == []
    some.written()

    assert some.due == 0.1 + HOLD
    assert names(some.taken(0, 0.1 + HOLD)) == ["e1"]
    assert some.written() == [1]


def test_what_is_asked_for_is_written_and_what_came_later_is_not() -> None:
    some = Backlog()
    for place in (1, 2, 3):
        some.add(place, told(begins(f"e{place}", place)), 1, 0.0, others=True)

    assert names(some.taken(2, 0.1)) == ["e1", "e2"]
    assert some.written() == [1, 2]
    assert some.has(3)


def test_what_follows_on_something_held_waits_with_it() -> None:
    some = Backlog()
    some.add(1, told(begins("e1", 1)), 1, 0.0, others=True)
    some.add(2, told(begins("e2", 2), ends("e2", 2)), 1, 0.0, others=True)

    assert names(some.taken(0, 0.1)) == ["e2"]
    assert some.written() == []
    assert some.first == 1


def test_what_is_to_be_woken_soon_is_written_soon_and_at_once() -> None:
    some, now = Backlog(), time.time_ns() // 1000

    some.add(1, told(begins("late", 1, wake_at=now + 60 * SECOND)), 1, 0.0, others=True)
    assert some.due == GATHER
    some.add(2, told(begins("soon", 2, wake_at=now + SECOND)), 1, 0.0, others=True)

    assert some.due == SOON
    assert names(some.taken(0, SOON)) == ["soon"]


def test_who_is_alone_gathers_for_longer() -> None:
    some = Backlog()

    some.add(1, told(begins("soon", 1, wake_at=1)), 1, 0.0, others=False)

    assert some.due == GATHER


def test_before_an_event_comes_in_everything_is_in_place() -> None:
    some = Backlog()
    some.add(1, told(begins("e1", 1)), 1, 0.0, others=True)
    some.add(2, told(**{LAST: {"_id": 1}}), 1, 0.0, others=True)

    assert names(some.taken(0, SOON)) == ["e1"]
    assert some.written() == [1, 2]


def test_not_more_is_held_than_fits() -> None:
    some = Backlog()
    for place in range(1, holding.MOST + 3):
        some.add(place, told(begins(f"e{place}", place)), 0, 0.0, others=True)

    assert names(some.taken(0, 0.1)) == ["e1", "e2"]


def test_what_failed_is_taken_again_before_what_has_come_since() -> None:
    some = Backlog()
    some.add(1, told(begins("e1", 1), commits={"_id": 1}), AT_ONCE, 0.0, others=True)
    first = some.taken(1, 0.1)
    assert names(first) == ["e1"]
    some.add(2, told(ends("e1", 2), commits={"_id": 2}), 1, 0.1, others=True)

    again = some.taken(1, 0.2)

    assert names(again) == ["e1"]
    assert [document["_id"] for _, document, _ in again.of("commits")] == [1]
    assert some.written() == [1]
    assert names(some.taken(1, 0.3)) == ["e1"]
    assert some.written() == [2]


def made(stored: dict[str, dict[str, Any]], write: Write) -> None:
    """Do *write* as the store would, which says by itself whether it is still due."""
    kind, which, change = write
    name = which["_id"]
    if kind == INSERT:
        if name not in stored or stored[name]["position"] < which["position"]:
            stored[name] = which
    elif name in stored and stored[name]["position"] < which["position"]["$lt"]:
        stored[name] = changed(stored[name], change)


Stored = dict[str, dict[str, Any]]


class Derived:
    """A backlog that is carried out, at some times, and at some of them in vain."""

    def __init__(self, draw: st.DataObject) -> None:
        self.backlog = Backlog()
        self.stored: Stored = {}
        self._draw = draw.draw
        self._now = 0.0
        self._last: dict[tuple[str, int], int] = {}
        """Where executions stand, as of each place."""

    def add(self, place: int, write: Write) -> None:
        self._last[write[1]["_id"], place] = place
        others = self._draw(st.booleans())
        _ = self.backlog.add(place, told(write), 1, self._now, others=others)

    def step(self, to: int) -> None:
        self._now += self._draw(st.sampled_from([0.0, 0.05, 0.3, HOLD]))
        outcome = self._draw(st.sampled_from(["written", "refused", "answer lost"]))
        self._carry_out(self._draw(st.integers(0, to)), outcome)

    def finish(self, to: int) -> None:
        for _ in range(2):  # what has failed, and what has gathered since
            self._carry_out(to, "written")

    def _carry_out(self, asked: int, outcome: str) -> None:
        writes = self.backlog.taken(asked, self._now)
        if outcome != "refused":
            for write in writes.of(FOLDED):
                made(self.stored, write)
        if outcome == "written":
            self._check(self.backlog.written())

    def _check(self, done: list[int]) -> None:
        for name, place in self._last:
            if place in done:
                assert self.stored[name]["position"] >= place


@given(
    st.data(), st.lists(st.tuples(st.sampled_from(["e1", "e2", "e3"]), st.booleans()), max_size=12)
)
def test_whatever_is_called_done_is_in_the_store(
    draw: st.DataObject, commits: list[tuple[str, bool]]
) -> None:
    """At whatever times it is asked, and however often the store refuses, or has done it and cannot say so."""
    derived = Derived(draw)
    expected: Stored = {}

    for place, (name, end) in enumerate(commits, 1):
        later = ends if end else goes_on
        write = later(name, place) if name in expected else begins(name, place)
        made(expected, write)
        derived.add(place, write)
        if draw.draw(st.booleans()):
            derived.step(len(commits))
    derived.finish(len(commits))

    assert derived.stored == expected
    assert derived.backlog.first is None
    assert derived.backlog.entries == 0


def test_what_is_held_is_written_before_others_would_look_for_it() -> None:
    assert HOLD * SECOND < backlog.SOON_WOKEN
