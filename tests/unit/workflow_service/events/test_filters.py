"""Which events a filter lets through."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.unit.workflow_service.events.support import Waiting, event, problems, takes
from workflow_service.domain.expressions import JsonValue


@pytest.mark.parametrize(
    ("wanted", "attributes", "expected"),
    [
        ("{type: com.x.paid}", {"type": "com.x.paid"}, True),
        ("{type: com.x.paid}", {"type": "comAxApaid"}, False),
        ("{type: com.x.paid}", {"type": "com.x.paid.v2"}, False),
        ("{type: 'com\\.x\\..*'}", {"type": "com.x.paid"}, True),
        ("{type: 'com\\.x\\..*'}", {"type": "org.com.x.paid"}, False),
        ("{source: 'https://x.test/a?b=1'}", {"source": "https://x.test/a?b=1"}, True),
        ("{subject: 'a|b'}", {"subject": "b"}, True),
        ("{subject: 'a|b'}", {"subject": "ab"}, False),
        ("{subject: x}", {}, False),
        ("{time: '2026-01-15T12:00:00Z'}", {"time": "2026-01-15T13:00:00+01:00"}, True),
        ("{time: '2026-01-15T12:00:00Z'}", {"time": "2026-01-15T13:00:00Z"}, False),
        ("{datacontenttype: text/plain}", {"datacontenttype": "text/plain"}, True),
        ("{dataschema: 'https://x.test/s'}", {"dataschema": "https://x.test/other"}, False),
        ("{roomid: 7}", {"roomid": "7"}, True),
        ("{roomid: '7'}", {"roomid": 7}, True),
        ("{flag: true}", {"flag": True}, True),
        ("{flag: true}", {"flag": "false"}, False),
        ("{type: a, subject: x}", {"type": "a", "subject": "x"}, True),
        ("{type: a, subject: x}", {"type": "a", "subject": "y"}, False),
        ("{subject: '${ startswith(\"room-\") }'}", {"subject": "room-7"}, True),
        ("{subject: '${ startswith(\"room-\") }'}", {"subject": "hall"}, False),
        ("{subject: '${ startswith(\"room-\") }'}", {}, False),
    ],
)
def test_attributes_are_compared_as_texts_patterns_or_by_expressions(
    wanted: str, attributes: dict[str, Any], expected: bool
) -> None:
    assert takes(wanted, event(**attributes)) is expected


@pytest.mark.parametrize(
    ("wanted", "data", "expected"),
    [
        ("'${ .temperature > 38 }'", {"temperature": 39}, True),
        ("'${ .temperature > 38 }'", {"temperature": 37}, False),
        ("'${ .temperature > 38 }'", "no object at all", False),
        ("'${ .temperature > 38 }'", None, False),
        ("{room: {id: 7}}", {"room": {"id": 7, "name": "x"}, "more": 1}, True),
        ("{room: {id: 7}}", {"room": {"id": 8}}, False),
        ("{room: '${ . > 3 }'}", {"room": 4}, True),
        ("{room: '${ . > 3 }'}", {"hall": 4}, False),
        ("{name: 'a.*'}", {"name": "abc"}, True),
        ("[1, '${ . > 1 }']", [1, 2], True),
        ("[1, '${ . > 1 }']", [1, 2, 3], False),
        ("1", 1.0, True),
        ("1", True, False),
        ("hello", "hello", True),
    ],
)
def test_data_are_compared_by_their_members_or_by_expressions(
    wanted: str, data: JsonValue, expected: bool
) -> None:
    assert takes(f"{{data: {wanted}}}", event(data=data)) is expected


def test_what_variables_say_is_known_when_waiting_begins() -> None:
    wanted = "{subject: '${ $input.id }', type: 'order-${ $input.kind }'}"

    assert takes(wanted, event(subject="7", type="order-x"), input={"id": 7, "kind": "x"})
    assert not takes(wanted, event(subject="8", type="order-x"), input={"id": 7, "kind": "x"})
    assert not takes(wanted, event(subject="7", type="order-y"), input={"id": 7, "kind": "x"})


def test_a_pattern_takes_no_time_even_if_it_means_to() -> None:
    waiting = Waiting("{one: {with: {subject: '(a+)+b'}}}")
    began = time.process_time()

    waiting.hears(event(subject="a" * 2_000))

    assert not waiting.taken
    assert time.process_time() - began < 1.0
    assert Waiting("{one: {with: {subject: '(a+)+b'}}}").hears(event(subject="aab")).taken


@pytest.mark.parametrize("pattern", ["(?=a)b", r"(a)\1", "[", "a)|(b", "x" * 2000 + "*"])
def test_a_pattern_that_cannot_be_used_is_refused_where_it_stands(pattern: str) -> None:
    (problem,) = problems(f"{{one: {{with: {{type: '{pattern}'}}}}}}")

    assert problem.field == "/do/0/l/listen/to/one/with/type"
    assert "regular expression" in problem.message


def test_names_that_no_event_can_have_are_refused() -> None:
    (problem,) = problems("{one: {with: {dataContentType: a}}}")

    assert "lower-case" in problem.message
    assert not problems("{one: {with: {datacontenttype: a}}}")
