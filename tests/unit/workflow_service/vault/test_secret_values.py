"""What a secret may hold."""

from __future__ import annotations

import pytest

from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.secret_values import DEEPEST, NAME, problems_of


@pytest.mark.parametrize(
    "value",
    ["text", "ключ", {"user": "ada", "password": "x"}, {"a": {"b": ["x", "y"]}}, {"empty": ""}],
)
def test_texts_and_objects_of_texts_can_be_kept(value: JsonValue) -> None:
    assert list(problems_of(value)) == []


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        (None, ""),
        ("", ""),
        (7, ""),
        (["x"], ""),
        ({}, ""),
        ({"port": 5432}, "/port"),
        ({"a": {"b/c": True}}, "/a/b~1c"),
        ({"a": [None]}, "/a/0"),
        ({"a": {}}, "/a"),
    ],
)
def test_everything_else_is_refused_where_it_stands(value: JsonValue, pointer: str) -> None:
    assert [place for place, _ in problems_of(value)] == [pointer]


def test_no_message_shows_the_value() -> None:
    assert "5432" not in str(list(problems_of({"port": 5432})))


def test_depth_is_bounded() -> None:
    value: JsonValue = "x"
    for _ in range(DEEPEST + 1):
        value = {"a": value}

    assert len(list(problems_of(value))) == 1


@pytest.mark.parametrize("name", ["shop", "my-oauth2-secret", "A.b_c", "_x", "x" * 128])
def test_names(name: str) -> None:
    assert NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["", "-x", ".x", "a/b", "a b", "x" * 129, "ключ", "a\n"])
def test_names_that_are_none(name: str) -> None:
    assert NAME.fullmatch(name) is None
