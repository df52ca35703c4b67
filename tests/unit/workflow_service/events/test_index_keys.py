"""Those who wait are found by the same key that an event has, or by a closer look."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflow_service.events.support import Waiting, event
from workflow_service.domain.events.matching import key_of_event, key_of_waiting
from workflow_service.domain.events.model import FilterPlace

FIRST = FilterPlace("to", 0)


def keys(wanted: str, attributes: dict[str, Any]) -> tuple[str, str | None]:
    """The key of somebody who waits with an input of 42, and that of an event."""
    waiting = Waiting(f"{{one: {wanted}}}", input=42)
    found = waiting.strategy.filters[0]
    mine = key_of_waiting(found, FIRST, waiting.progress.fixed, waiting.progress.keys)
    return mine, key_of_event(found, event(**attributes), waiting.evaluate)


@pytest.mark.parametrize(
    "wanted",
    [
        "{with: {type: a}, correlate: {order: {from: .order, expect: '${ $input }'}}}",
        "{with: {type: a, order: '${ $input }'}}",
    ],
)
def test_a_known_expectation_is_found_by_its_value(wanted: str) -> None:
    mine, of_event = keys(wanted, {"order": "42"})

    assert mine == of_event != ""
    assert keys(wanted, {"order": "43"})[1] not in (mine, "", None)
    assert keys(wanted, {})[1] is None


def test_who_expects_nothing_yet_needs_a_closer_look() -> None:
    mine, of_event = keys("{with: {type: a}, correlate: {order: {from: .order}}}", {"order": 1})

    assert mine == ""
    assert of_event


def test_who_expects_no_value_is_found_without_one() -> None:
    assert keys("{with: {type: a}}", {}) == ("", "")


def test_what_is_ruled_out_for_everybody_has_no_key() -> None:
    assert keys("{with: {type: a, data: '${ . == 1 }'}}", {"data": 2})[1] is None
    assert keys("{with: {type: a, data: '${ . == $input }'}}", {"data": 2})[1] == ""


def test_a_source_that_only_those_who_wait_can_evaluate_is_left_to_them() -> None:
    wanted = "{with: {type: a}, correlate: {o: {from: '.[$input|tostring]', expect: '1'}}}"

    assert keys(wanted, {}) == ("", "")


def test_only_a_literal_type_can_be_looked_up() -> None:
    types = [
        Waiting(f"{{one: {{with: {{{w}}}}}}}").strategy.filters[0].type
        for w in ("type: a.b", "type: 'a.*'", "source: x", "type: '${ . == \"a\" }'")
    ]

    assert types == ["a.b", "", "", ""]
