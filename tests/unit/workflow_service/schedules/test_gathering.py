"""Which events start an execution together, and what it gets of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.support.workflow_run import definition_of
from workflow_service.domain.events import ReceivedEvent
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.schedules.gathering import Heard, Wanted, within
from workflow_service.domain.schedules.model import On

TASKS = "\ndo: [{a: {set: {x: 1}}}]"
CORRELATED = """{all: [
  {with: {type: placed}, correlate: {order: {from: .data.order}}},
  {with: {type: paid}, correlate: {order: {from: .data.order}}}]}"""


@dataclass
class Ear:
    """A schedule's."""

    on: str
    read: str = "data"
    heard: Heard = field(default_factory=Heard)
    position: int = 0

    def __post_init__(self) -> None:
        definition = definition_of(f"schedule: {{on: {self.on}, read: {self.read}}}{TASKS}")
        assert definition.on is not None
        assert definition.schedule is not None
        trigger = definition.schedule.trigger
        assert isinstance(trigger, On)
        self.trigger = trigger
        self.wanted = Wanted(
            definition.on,
            trigger.read,
            lambda expression, document: expression.evaluate(document, {}),
            lambda template: template.render(None, {}),
        )

    def hears(self, type: str, data: JsonValue = None) -> Ear:
        """An event comes."""
        self.position += 1
        attributes: dict[str, JsonValue] = {
            "specversion": "1.0", "id": f"e{self.position}", "source": "/test", "type": type
        }  # fmt: skip
        event = ReceivedEvent(self.position, attributes, data, str(data))
        self.heard = self.wanted.hear(self.heard, event)
        assert self.wanted.hear(self.heard, event) is self.heard, "an event counts once"
        return self

    @property
    def starts(self) -> list[list[JsonValue]]:
        """The inputs of the executions that are due."""
        return [list(pending.input) for pending in self.heard.pending]


def test_each_event_that_is_wanted_starts_one() -> None:
    ear = Ear("{one: {with: {type: placed}}}").hears("placed", 1).hears("other", 2)

    assert ear.hears("placed", 3).starts == [[1], [3]]
    assert [pending.position for pending in ear.heard.pending] == [1, 3]


def test_any_of_some_starts_one() -> None:
    ear = Ear("{any: [{with: {type: a}}, {with: {type: b}}]}")

    assert ear.hears("a", 1).hears("b", 2).hears("c", 3).starts == [[1], [2]]


def test_any_event_at_all_can_start_one() -> None:
    ear = Ear("{any: []}")

    assert ear.trigger.types == ()
    assert ear.hears("whatever", 1).starts == [[1]]


def test_all_of_some_start_one_together_and_then_the_next() -> None:
    ear = Ear("{all: [{with: {type: a}}, {with: {type: b}}]}").hears("b", 1)
    assert ear.starts == []
    assert ear.hears("a", 2).starts == [[1, 2]]
    assert ear.hears("a", 3).hears("b", 4).starts == [[1, 2], [3, 4]]


def test_a_second_event_of_the_same_kind_begins_another_group() -> None:
    ear = Ear("{all: [{with: {type: a}}, {with: {type: b}}]}").hears("a", 1).hears("a", 2)

    assert ear.hears("b", 3).hears("b", 4).starts == [[1, 3], [2, 4]]


def test_events_that_belong_together_find_each_other_among_others() -> None:
    ear = Ear(CORRELATED)
    ear.hears("placed", {"order": 1}).hears("placed", {"order": 2}).hears("paid", {"order": 3})
    assert ear.starts == []
    ear.hears("paid", {"order": 2}).hears("placed", {"order": 3})

    assert ear.starts == [[{"order": 2}, {"order": 2}], [{"order": 3}, {"order": 3}]]
    assert len(ear.heard.gathering) == 1


def test_until_a_condition_holds_events_are_gathered() -> None:
    ear = Ear("{any: [{with: {type: reading}}], until: '${ . > 38 }'}").hears("reading", 37)

    assert ear.hears("reading", 39).hears("reading", 36).starts == [[37, 39]]


def test_until_another_event_comes_events_are_gathered() -> None:
    ear = Ear("{any: [{with: {type: reading}}], until: {one: {with: {type: left}}}}")

    assert ear.hears("reading", 1).hears("reading", 2).hears("left").starts == [[1, 2]]


def test_what_is_read_of_an_event_can_be_all_of_it() -> None:
    ((event,),) = Ear("{one: {with: {type: a}}}", "envelope").hears("a", 7).starts
    assert isinstance(event, dict)
    assert (event["type"], event["data"]) == ("a", 7)
    assert Ear("{one: {with: {type: a}}}", "raw").hears("a", 7).starts == [["7"]]


def test_a_filter_that_fails_on_an_event_does_not_want_it() -> None:
    ear = Ear("{one: {with: {data: '${ .a.b > 1 }'}}}")

    assert ear.hears("x", "text").hears("x", {"a": {"b": 2}}).starts == [[{"a": {"b": 2}}]]


def test_what_is_too_much_goes_the_oldest_first() -> None:
    ear = Ear("{one: {with: {type: a}}}")
    for number in range(5):
        ear.hears("a", number)
    kept, lost = within(ear.heard, 3, 1_000_000)
    assert ([list(each.input) for each in kept.pending], lost) == ([[2], [3], [4]], 2)
    assert within(ear.heard, 5, 1_000_000) == (ear.heard, 0)

    large = Ear("{one: {with: {type: a}}}").hears("a", "x" * 500).hears("a", "y" * 500)
    kept, lost = within(large.heard, 10, 800)
    assert ([list(each.input) for each in kept.pending], lost) == ([["y" * 500]], 1)
