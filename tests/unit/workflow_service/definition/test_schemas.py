"""The schemas that authors write reach nothing outside, and cannot be made to run for ever."""

import time

import pytest

from tests.unit.workflow_service.definition.support import problems
from workflow_service.domain.definition.json_schemas import SchemaUnusable, compile_schema
from workflow_service.domain.expressions import JsonValue


def nested(depth: int) -> JsonValue:
    value: JsonValue = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        ({"type": "object"}, {}, None),
        (True, 3, None),
        (False, 3, "False schema does not allow 3"),
        ({"properties": {"a/b": {"type": "string"}}}, {"a/b": 3}, '3 is not of type "string" at /a~1b'),
        ({"type": "string", "format": "email"}, "x", '"x" is not a "email"'),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}, [3],
         '3 is not of type "string" at /0'),
        ({"$id": "https://a.b/c", "$ref": "https://a.b/c#/$defs/x", "$defs": {"x": {"type": "null"}}}, 1,
         '1 is not of type "null"'),
        ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, {"type": "object"}, None),
    ],
)  # fmt: skip
def test_values_are_validated(schema: JsonValue, value: JsonValue, problem: str | None) -> None:
    assert compile_schema(schema).problem(value) == problem


@pytest.mark.parametrize(
    ("schema", "pointer", "part"),
    [
        ({"type": "nope"}, "/type", "is not a valid JSON Schema"),
        (
            {"properties": {"a": {"minimum": "x"}}},
            "/properties/a/minimum",
            "is not a valid JSON Schema",
        ),
        ({"pattern": "("}, "/pattern", "is not a valid JSON Schema"),
        (
            {"$ref": "https://example.com/x.json"},
            "",
            "the schema refers to https://example.com/x.json",
        ),
        ({"$ref": "http://169.254.169.254/latest/meta-data"}, "", "must be complete in itself"),
        ({"$ref": "file:///etc/passwd"}, "", "must be complete in itself"),
        ({"$schema": "https://example.com/meta"}, "", "meta-schema"),
        ({"$ref": "#/nowhere"}, "", "not"),
        ({"$ref": "#"}, "", "refers to itself"),
        ({"$dynamicRef": "#a", "$dynamicAnchor": "a"}, "", "not supported"),
        (3, "", "is an object or a boolean"),
        ({"pattern": "(((a{1000}){1000}){1000}){1000}"}, "/pattern", "is not a"),
    ],
)
def test_schemas_that_cannot_be_used_are_refused(
    schema: JsonValue, pointer: str, part: str
) -> None:
    with pytest.raises(SchemaUnusable, match=part) as caught:
        compile_schema(schema)
    assert caught.value.pointer == pointer


def test_problems_of_schemas_have_their_place_in_the_document() -> None:
    found = problems("input: {schema: {document: {properties: {a: {type: x}}}}}\ndo: []")
    assert list(found) == ["/input/schema/document/properties/a/type"]


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_a_schema_that_doubles_its_work_at_every_step_is_refused(keyword: str) -> None:
    parts: dict[str, JsonValue] = {
        f"a{n}": {keyword: [{"$ref": f"#/$defs/a{n + 1}"}, {"$ref": f"#/$defs/a{n + 1}"}]}
        for n in range(40)
    }
    parts["a40"] = {"type": "integer"}
    with pytest.raises(SchemaUnusable, match="too often"):
        compile_schema({"$ref": "#/$defs/a0", "$defs": parts})


def test_a_schema_whose_recursion_doubles_its_work_takes_only_flat_values() -> None:
    schema = compile_schema({"anyOf": [{"properties": {"a": {"$ref": "#"}}}] * 2, "type": "object"})
    begin = time.process_time()
    assert schema.problem(nested(5)) is None
    assert "too deep for its schema" in (schema.problem(nested(60)) or "")
    assert "too deep for its schema" in (schema.problem(nested(5000)) or "")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}},
        {
            "anyOf": [
                {"items": {"$ref": "#"}},
                {"additionalProperties": {"$ref": "#"}},
                {"type": "null"},
            ]
        },
        {"$defs": {"n": {"properties": {"a": {"$ref": "#/$defs/n"}}}}, "$ref": "#/$defs/n"},
    ],
)
def test_ordinary_recursion_takes_values_of_any_depth(schema: JsonValue) -> None:
    assert compile_schema(schema).problem(nested(62)) is None


@pytest.mark.parametrize("pattern", ["^(a+)+$", r"^(?=(a+)+$)(b|a)*\1$", "^(a|aa)+$"])
def test_patterns_cannot_run_for_ever(pattern: str) -> None:
    schema = compile_schema({"pattern": pattern})
    begin = time.process_time()
    assert schema.problem("a" * 5000 + "b") is not None
    assert time.process_time() - begin < 5


def test_a_schema_has_only_so_many_patterns() -> None:
    properties: JsonValue = {f"p{n}": {"pattern": f"^a{{{n}}}$"} for n in range(501)}
    with pytest.raises(SchemaUnusable, match="at most 500 patterns"):
        compile_schema({"properties": properties})
    with pytest.raises(SchemaUnusable, match="at most 500 patterns"):
        compile_schema({"patternProperties": properties})


def test_a_chain_of_references_has_an_end() -> None:
    parts: dict[str, JsonValue] = {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(300)}
    with pytest.raises(SchemaUnusable, match="too long a chain"):
        compile_schema({"$ref": "#/$defs/a0", "$defs": {**parts, "a300": True}})
