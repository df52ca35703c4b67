"""Sizes and depths of values are told as a walk would tell them, and wide values are walked once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_service.domain.expressions import JsonValue, measuring
from workflow_service.domain.expressions.measuring import (
    REMEMBERED,
    Measures,
    deeper_than,
    size_of,
)

JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(), inner, max_size=6),
    max_leaves=30,
)
ENDLESS = 10**12


def wide(rows: int = 400) -> list[JsonValue]:
    return [{"id": n, "tags": ["a", "b"], "text": "some text"} for n in range(rows)]


def walked(value: JsonValue) -> int:
    match value:
        case str():
            return len(value) + 2
        case dict():
            names = sum(len(name) + 4 for name in value)
            return names + 2 + sum(map(walked, value.values()))
        case list():
            return len(value) + 2 + sum(map(walked, value))
        case _:
            return 8


def levels(value: JsonValue) -> int:
    match value:
        case dict() if value:
            return 1 + max(map(levels, value.values()))
        case list() if value:
            return 1 + max(map(levels, value))
        case _:
            return 0


@pytest.fixture(autouse=True)
def measures(monkeypatch: pytest.MonkeyPatch) -> Measures:
    fresh = Measures()
    monkeypatch.setattr(measuring, "_measures", fresh)
    return fresh


@given(value=JSON, copies=st.integers(1, 80))
def test_sizes_and_depths_are_those_of_a_walk_also_the_second_time(
    value: JsonValue, copies: int
) -> None:
    whole: JsonValue = {"rows": [value] * copies, "value": value}
    for _ in range(2):
        assert size_of(whole, ENDLESS) == walked(whole)
        depth = levels(whole)
        assert deeper_than(whole, depth - 1)
        assert not deeper_than(whole, depth)


def test_a_wide_value_is_known_again_in_another_wrapper(measures: Measures) -> None:
    rows = wide()
    size = size_of({"n": 1, "rows": rows}, ENDLESS)

    known = measures.get(rows)
    assert known is not None
    assert (known.size, known.depth) == (size_of(rows, ENDLESS) - len(rows) - 2, 3)
    assert size_of({"n": 2, "rows": rows}, ENDLESS) == size
    assert deeper_than({"rows": rows}, 3)
    assert not deeper_than({"rows": rows}, 4)


def test_an_equal_value_is_another_one(measures: Measures) -> None:
    rows = wide()
    _ = size_of(rows, ENDLESS)

    assert measures.get(wide()) is None


def test_small_ones_and_what_was_not_walked_to_its_end_are_not_kept(measures: Measures) -> None:
    few, many = wide(40), wide()
    _ = size_of(few, ENDLESS)
    assert size_of(many, 1_000) > 1_000

    assert measures.get(few) is None
    assert measures.get(many) is None


def test_what_is_kept_alive_is_bounded(measures: Measures) -> None:
    values = [wide(10_000) for _ in range(12)]
    each = size_of(values[0], ENDLESS)
    for value in values:
        _ = size_of(value, ENDLESS)

    kept = [value for value in values if measures.get(value) is not None]
    assert 0 < len(kept) <= REMEMBERED // (each // 2)
    assert measures.get(values[0]) is None
    assert measures.get(values[-1]) is not None


def test_what_doubles_with_every_level_is_not_walked_to_its_end() -> None:
    value: JsonValue = ["x" * 100] * 50
    for _ in range(60):
        value = [value, value]

    assert size_of(value, 1_000_000) > 1_000_000
