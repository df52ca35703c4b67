"""Writes folded into one come to the same, wherever they start."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from workflow_service.adapters.mongo.folding import INSERT, Write, changed, folded

NAMES = ("a", "b", "nodes")


def change(draw: st.DrawFn) -> dict[str, Any]:
    """A change as commits make them: every member is set, removed or added to."""
    parts: dict[str, Any] = {}
    for name in draw(st.sets(st.sampled_from(NAMES), min_size=1)):
        if name == "nodes" and draw(st.booleans()):
            parts.setdefault("$addToSet", {})[name] = draw(st.sampled_from("xyz"))
        elif name != "nodes" and draw(st.booleans()):
            parts.setdefault("$unset", {})[name] = ""
        else:
            value: object = [] if name == "nodes" else draw(st.integers(0, 3))
            parts.setdefault("$set", {})[name] = value
    return parts


changes = st.composite(change)


def update(name: str, position: int, change: dict[str, Any]) -> Write:
    return "update", {"_id": name, "position": {"$lt": position}}, change


@given(st.lists(changes(), min_size=1, max_size=5))
def test_changes_of_one_document_become_one(some: list[dict[str, Any]]) -> None:
    before = {"_id": "e1", "a": 9, "nodes": ["x"]}
    expected = before
    for each in some:
        expected = changed(expected, each)

    ((kind, which, found),) = folded(update("e1", n, each) for n, each in enumerate(some, 1))

    assert kind == "update"
    assert which == {"_id": "e1", "position": {"$lt": len(some)}}
    assert changed(before, found) == expected
    assert not set(found.get("$set", {})) & set(found.get("$unset", {}))
    assert not set(found.get("$set", {})) & set(found.get("$addToSet", {}))


@given(st.lists(changes(), min_size=1, max_size=5), st.integers(0, 5))
def test_who_has_made_some_of_the_changes_may_make_all_of_them(
    some: list[dict[str, Any]], made: int
) -> None:
    before: dict[str, Any] = {"_id": "e1", "nodes": []}
    so_far, expected = before, before
    for number, each in enumerate(some):
        expected = changed(expected, each)
        so_far = changed(so_far, each) if number < made else so_far

    ((_, _, found),) = folded(update("e1", n, each) for n, each in enumerate(some, 1))

    after = changed(so_far, found)
    assert sorted(after.pop("nodes")) == sorted(expected.pop("nodes"))
    assert after == expected


@given(st.lists(changes(), max_size=5))
def test_a_beginning_takes_up_what_follows(some: list[dict[str, Any]]) -> None:
    beginning = {"_id": "e1", "a": 1, "nodes": ["x"]}
    expected = beginning
    for each in some:
        expected = changed(expected, each)

    writes: list[Write] = [(INSERT, beginning, {})]
    writes += [update("e1", n, each) for n, each in enumerate(some, 2)]

    assert folded(writes) == [(INSERT, expected, {})]


def test_every_document_keeps_its_own_changes() -> None:
    one, two = update("e1", 1, {"$set": {"a": 1}}), update("e2", 2, {"$set": {"a": 2}})

    assert folded([one, two]) == [one, two]
