"""When there are enough events."""

from __future__ import annotations

from tests.unit.workflow_service.events.support import Waiting, event

BY_ROOM = "correlate: {room: {from: .roomid}}"


def test_one_is_enough_for_one() -> None:
    waiting = Waiting("{one: {with: {type: a}}}").hears(event(1, type="b"), event(2))

    assert (waiting.taken, waiting.done) == ([2], True)
    assert waiting.hears(event(3)).taken == [2]


def test_any_is_done_with_the_first_that_fits_one_of_the_filters() -> None:
    waiting = Waiting("{any: [{with: {type: a}}, {with: {type: b}}]}")

    assert waiting.hears(event(1, type="c"), event(2, type="b"), event(3)).taken == [2]


def test_an_empty_any_takes_whatever_comes() -> None:
    assert Waiting("{any: []}").hears(event(1, type="whatever")).done


def test_all_waits_for_one_event_of_each_filter_in_whatever_order() -> None:
    waiting = Waiting("{all: [{with: {type: a}}, {with: {type: b}}]}")

    assert not waiting.hears(event(1, type="b"), event(2, type="b")).done
    assert waiting.hears(event(3)).done
    assert waiting.taken == [1, 3]


def test_one_event_counts_for_one_filter_only() -> None:
    waiting = Waiting("{all: [{with: {type: a}}, {with: {type: a}}]}")

    assert not waiting.hears(event(1)).done
    assert waiting.hears(event(2)).done


def test_all_of_nothing_is_done_at_once() -> None:
    assert Waiting("{all: []}").done


def test_no_event_is_taken_twice() -> None:
    waiting = Waiting("{all: [{with: {type: a}}, {with: {type: a}}]}")

    assert waiting.hears(event(1), event(1)).taken == [1]


def test_any_goes_on_until_the_events_of_another_strategy_have_come() -> None:
    waiting = Waiting("{any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}")

    waiting.hears(event(1), event(2), event(3, type="stop"), event(4))

    assert (waiting.taken, waiting.done) == ([1, 2], True)


def test_the_ending_may_need_several_events_and_comes_before_the_rest() -> None:
    waiting = Waiting("{any: [], until: {all: [{with: {type: x}}, {with: {type: y}}]}}")

    assert waiting.hears(event(1, type="y"), event(2, type="y")).taken == [2]
    assert waiting.hears(event(3, type="x")).done


def test_without_an_expectation_the_first_value_is_what_is_expected_of_all() -> None:
    waiting = Waiting(
        f"{{all: [{{with: {{type: a}}, {BY_ROOM}}}, {{with: {{type: b}}, {BY_ROOM}}}]}}"
    )

    waiting.hears(event(1, roomid="7"), event(2, type="b", roomid="8"))

    assert waiting.taken == [1]
    assert waiting.hears(event(3, type="b", roomid=7)).done
    assert waiting.progress.keys == {"room": "7"}


def test_an_event_without_the_value_does_not_correlate() -> None:
    assert not Waiting(f"{{one: {{with: {{type: a}}, {BY_ROOM}}}}}").hears(event(1)).taken


def test_what_is_expected_is_a_constant_or_evaluated_when_waiting_begins() -> None:
    by_order = (
        "{{one: {{with: {{type: a}}, correlate: {{order: {{from: .data.order, expect: '{}'}}}}}}}}"
    )

    constant = Waiting(by_order.format("42")).hears(event(1, data={"order": 41}))
    assert constant.hears(event(2, data={"order": 42})).taken == [2]
    computed = Waiting(by_order.format("${ $input.id }"), input={"id": 42})
    assert computed.hears(event(1, data={"order": "41"}), event(2, data={"order": 42})).taken == [2]


def test_several_correlations_must_all_fit() -> None:
    waiting = Waiting(
        "{one: {with: {type: a}, correlate: {x: {from: .data.x, expect: '1'}, y: {from: .data.y, expect: '2'}}}}"
    )

    assert not waiting.hears(event(1, data={"x": 1, "y": 3})).done
    assert waiting.hears(event(2, data={"x": 1, "y": 2})).done
