"""Strings that are, hold, or are not expressions; URI templates."""

import pytest

from workflow_service.domain.expressions import (
    ExpressionFailed,
    Expressions,
    JsonValue,
    expand_uri,
    expression_source,
    is_expression,
)

VARIABLES = ("context",)
DOCUMENT: JsonValue = {"name": "Ada", "n": 3, "list": [1, None], "none": None}


def rendered(value: JsonValue) -> JsonValue:
    return Expressions().template(value, VARIABLES).render(DOCUMENT, {"context": {"k": "v"}})


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("${ .a }", ".a"),
        ("  ${.a}\n", ".a"),
        ('${ "}" }', '"}"'),
        ("${ {a: 1} }", "{a: 1}"),
        ("${ .a # }\n }", ".a # }"),
    ],
)
def test_a_wrapped_text_is_an_expression(text: str, source: str) -> None:
    assert is_expression(text)
    assert expression_source(text) == source


@pytest.mark.parametrize("text", [".a", "${ .a } and ${ .b }", "x ${ .a }", "${", "$ { .a }", ""])
def test_other_texts_are_not_expressions_as_a_whole(text: str) -> None:
    assert not is_expression(text)
    assert expression_source(text) == text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("${ .list }", [1, None]),
        ("Hello ${ .name }!", "Hello Ada!"),
        ("${ .name }${ .n }", "Ada3"),
        ("n=${ .n } l=${ .list } x=${ .none }", "n=3 l=[1,null] x=null"),
        ('${ "}" } ${ "a \\("}") b" }', "} a } b"),
        ("costs ${ 5", "costs ${ 5"),
        ("plain .name", "plain .name"),
        ({"${ .n }": ["${ $context.k }", {"deep": "${ .n + 1 }"}, 7]}, None),
    ],
)
def test_strict_mode(value: JsonValue, expected: JsonValue) -> None:
    if isinstance(value, dict):
        expected = {"${ .n }": ["v", {"deep": 4}, 7]}
    assert rendered(value) == expected


def test_loose_mode_tries_every_string_and_keeps_what_fails() -> None:
    template = Expressions().template(
        {"a": ".n", "b": "hello world", "c": ".name.x", "d": "${ .n }", "e": "env"},
        VARIABLES,
        mode="loose",
    )

    assert template.render(DOCUMENT, {}) == {
        "a": 3,
        "b": "hello world",
        "c": ".name.x",
        "d": 3,
        "e": "env",
    }


def test_a_value_without_expressions_is_constant_and_cheap() -> None:
    value: JsonValue = {"a": [1, "x", None]}
    template = Expressions().template(value, VARIABLES)

    assert template.constant
    assert template.cheap
    assert template.render(DOCUMENT, {}) is value


def test_a_template_is_as_cheap_as_its_costliest_part() -> None:
    expressions = Expressions()

    assert expressions.template(["${ .a }", "${ .b }"], VARIABLES).cheap
    assert not expressions.template(["${ .a }", "${ [..] }"], VARIABLES).cheap


def test_an_embedded_expression_that_does_not_compile_is_refused() -> None:
    with pytest.raises(ExpressionFailed, match="HOME/0 is not defined"):
        Expressions().template("echo ${HOME}", VARIABLES)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("https://x/{id}", "https://x/a%2Fb%3F%23%20c"),
        ("https://x/{pet.id}/{n}/{f}/{yes}", "https://x/verbatim/3/1.5/true"),
        ("https://x/{missing}{none}", "https://x/"),
        ("https://x/{é}", "https://x/%C3%BC"),
        ("https://x/plain", "https://x/plain"),
    ],
)
def test_uri_templates_expand_top_level_properties(template: str, expected: str) -> None:
    data: JsonValue = {
        "id": "a/b?# c",
        "pet.id": "verbatim",
        "pet": {"id": "no"},
        "n": 3,
        "f": 1.5,
        "yes": True,
        "none": None,
        "é": "ü",
    }
    assert expand_uri(template, data) == expected


@pytest.mark.parametrize("value", [[], {"a": 1}, "\ud800"])
def test_uri_templates_take_scalars_only(value: JsonValue) -> None:
    with pytest.raises(ExpressionFailed):
        expand_uri("https://x/{v}", {"v": value})
