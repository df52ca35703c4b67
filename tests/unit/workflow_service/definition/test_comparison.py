"""What differs between two versions of a workflow."""

from __future__ import annotations

import pytest

from tests.support.workflow_run import definition_of
from workflow_service.domain.definition.comparison import Difference, compare, compare_schedules
from workflow_service.domain.expressions import JsonValue

OLD = """
do:
- price: {set: {total: 1}}
- pay:
    try:
    - charge: {call: http, with: {method: post, endpoint: 'http://bank.test/'}}
    catch: {do: [{note: {set: {failed: true}}}]}
- ship: {wait: {days: 1}}
"""


def differences(new: str, old: str = OLD) -> tuple[Difference, ...]:
    return compare(definition_of(old), definition_of(new))


def test_the_same_workflow_has_no_differences() -> None:
    assert differences(OLD) == ()
    assert definition_of(OLD).version == definition_of(OLD).version


def test_a_change_is_told_with_its_place_inside_the_task() -> None:
    found = differences(OLD.replace("post", "put").replace("total: 1", "total: 2"))

    assert found == (
        Difference("changed", "/do/0/price", members=("/set/total",)),
        Difference("changed", "/do/1/pay/try/0/charge", members=("/with/method",)),
    )


def test_what_is_added_at_the_end_breaks_nothing() -> None:
    assert differences(OLD + "- thank: {set: {thanks: true}}\n") == (
        Difference("added", "/do/3/thank"),
    )


def test_what_is_added_before_others_moves_them_and_what_is_in_them() -> None:
    found = differences(OLD.replace("- pay:", "- check: {set: {ok: true}}\n- pay:"))

    assert Difference("added", "/do/1/check") in found
    assert Difference("moved", "/do/2/pay", "/do/1/pay", breaking=True) in found
    charge = ("/do/2/pay/try/0/charge", "/do/1/pay/try/0/charge")
    assert Difference("moved", *charge, breaking=True) in found
    assert len(found) == 5


def test_a_task_that_moves_and_changes_is_told_once() -> None:
    found = differences("do:\n- ship: {wait: {days: 2}}\n")

    moved = next(each for each in found if each.kind == "moved")
    assert moved == Difference("moved", "/do/0/ship", "/do/2/ship", ("/wait/days",), breaking=True)
    assert {each.place for each in found if each.kind == "removed" and each.breaking} == {
        "/do/0/price",
        "/do/1/pay",
        "/do/1/pay/try/0/charge",
        "/do/1/pay/catch/do/0/note",
    }


def test_another_kind_of_task_under_the_same_name_is_breaking() -> None:
    (found,) = differences(OLD.replace("{wait: {days: 1}}", "{set: {shipped: true}}"))

    assert (found.kind, found.place, found.breaking) == ("changed", "/do/2/ship", True)
    assert set(found.members) == {"/wait", "/set"}


def test_what_is_outside_of_tasks_is_told_by_its_place() -> None:
    found = differences(OLD + "timeout: {after: {hours: 1}}\noutput: {as: '${ .total }'}\n")

    assert {(each.kind, each.place, each.breaking) for each in found} == {
        ("changed", "/timeout", False),
        ("changed", "/output", False),
    }


def test_a_version_by_itself_is_no_difference() -> None:
    head = "document: {dsl: 1.0.3, namespace: test, name: spec, version: 1.1.0, title: New}\n"

    assert differences(head + OLD) == ()


def test_functions_are_tasks_like_others() -> None:
    old = "use: {functions: {greet: {set: {hello: 1}}}}\ndo:\n- a: {call: greet}\n"

    assert differences(old.replace("hello: 1", "hello: 2"), old) == (
        Difference("changed", "/use/functions/greet", members=("/set/hello",)),
    )


EVERY_DAY: dict[str, JsonValue] = {"document": {}, "schedule": {"every": {"days": 1}}}


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (None, {}, "none"),
        (None, EVERY_DAY, "begins"),
        ({}, EVERY_DAY, "begins"),
        (EVERY_DAY, dict(EVERY_DAY), "kept"),
        (EVERY_DAY, {"schedule": {"every": {"days": 2}}}, "changes"),
        (
            EVERY_DAY,
            EVERY_DAY | {"document": {"metadata": {"schedule": {"missed": "one"}}}},
            "changes",
        ),
        (EVERY_DAY, {}, "ends"),
    ],
)
def test_what_becomes_of_a_schedule_is_told(
    old: dict[str, JsonValue] | None, new: dict[str, JsonValue], change: str
) -> None:
    assert compare_schedules(old, new) == change
