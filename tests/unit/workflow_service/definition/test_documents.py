"""Documents are read strictly, and one meaning has one digest."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Malformed, PayloadTooLarge, UnsupportedMediaType
from workflow_service.domain.definition.documents import (
    DocumentUnreadable,
    canonical,
    digest_of,
    parse_document,
)
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.expressions import JsonValue

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner, max_size=4
        )
    ),
    max_leaves=12,
)


def yaml(text: str) -> JsonValue:
    return parse_document(text.encode(), "application/yaml")


def from_json(text: str) -> JsonValue:
    return parse_document(text.encode(), "application/json")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: 1\noff: yes\nno: No", {"on": 1, "off": "yes", "no": "No"}),
        (
            "a: 2026-01-15\nb: 2026-01-15T10:30:00Z",
            {"a": "2026-01-15", "b": "2026-01-15T10:30:00Z"},
        ),
        ("a: 1:30\nb: 0o17\nc: 0x1F\nd: 017", {"a": "1:30", "b": 15, "c": 31, "d": 17}),
        ("[true, True, TRUE, tRUE]", [True, True, True, "tRUE"]),
        ("[null, ~, Null, nUll, {a: }]", [None, None, None, "nUll", {"a": None}]),
        ("[1.5, .5, 1., 1e3, -1E-3, +1]", [1.5, 0.5, 1.0, 1000.0, -0.001, 1]),
        ("[1_000, 0b1, 1.0.3]", ["1_000", "0b1", "1.0.3"]),
        (
            "[!!str 1, !!int '7', !!float 2, !!bool 'true', !!null '', ! 5]",
            ["1", 7, 2.0, True, None, "5"],
        ),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("&k key: 1\n*k : 2", None),
        ("? a\n: 1", {"a": 1}),
        ("'1': a", {"1": "a"}),
        ("%YAML 1.2\n---\na: 1", {"a": 1}),
        ("'<<': 1", {"<<": 1}),
    ],
)
def test_yaml_is_read_with_the_core_schema_of_version_1_2(text: str, value: JsonValue) -> None:
    if value is None:
        with pytest.raises(DocumentUnreadable, match="there twice"):
            yaml(text)
    else:
        assert yaml(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", r"the key 'a' is there twice \(line 2, column 1\)"),
        ("a: {b: 1, b: 2}", "the key 'b' is there twice"),
        ("1: a", "the key 1 is not a string: put it in quotes"),
        ("true: a", "the key true is not a string"),
        ("null: a", "the key null is not a string"),
        ("[a]: 1", "a key must be a string, not an object or an array"),
        ("? {a: 1}\n: 1", "a key must be a string"),
        (
            "a: !!python/object:os.system x",
            "the tag tag:yaml.org,2002:python/object:os.system is not",
        ),
        ("a: !mine x", "the tag !mine is not allowed"),
        ("a: !!set {x: }", "is not allowed"),
        ("a: !!binary aGk=", "is not allowed"),
        ("a: !!int x", "is not of the type !!int"),
        ("a: &x [*x]", "refers to what it is part of"),
        ("a: *nowhere", "nothing has the anchor &nowhere"),
        ("a: &x {b: 1}\nc: {<<: *x}", "merge keys"),
        ("a: .inf", "not a number that JSON can say"),
        ("a: .NaN", "not a number that JSON can say"),
        ("a: 1e999", "is too large"),
        (f"a: {'9' * 5000}", "is too large"),
        ("a: 1\n---\nb: 2", "more than one document"),
        ("", "it is empty"),
        ("# nothing", "it is empty"),
        ("a: [1, 2", r"\(line 2, column 1\)"),
        ("a: 'x", "line 1"),
        ("a:\n\t- b", "line 2"),
        ("a: \x07", "characters that YAML does not allow"),
        ('a: "\\ud800"', "invalid Unicode"),
        ("%TAG ! x\n---\na: 1", "must not begin with %"),
        ("[" * 100, r"nested more than 64 levels deep .*\(line 1, column 65\)"),
        ("- " * 100, "nested more than 64 levels deep"),
        (f"? {'k' * 2000}\n: 1", "a key may have at most 1024 characters"),
    ],
)
def test_yaml_that_json_cannot_say_or_that_is_ambiguous_is_refused(text: str, reason: str) -> None:
    with pytest.raises(DocumentUnreadable, match=reason) as caught:
        yaml(text)
    assert len(caught.value.details) == 1


@pytest.mark.parametrize(
    ("text", "pointer"),
    [("a: {b: [1, {2: x}]}", "/a/b/1"), ("a: 1\nb~/: !x 1", "/b~0~1"), ("x", None)],
)
def test_yaml_problems_have_a_pointer(text: str, pointer: str | None) -> None:
    if pointer is None:
        assert yaml(text) == "x"
    else:
        with pytest.raises(DocumentUnreadable) as caught:
            yaml(text)
        assert caught.value.details[0].field == pointer


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udc00": 1}', '[["\\ud800"]]'])
def test_json_with_half_a_surrogate_pair_is_refused(text: str) -> None:
    with pytest.raises(DocumentUnreadable, match="surrogate"):
        from_json(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "a": 2}', "'a' is there twice"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("1e999", "is too large"),
        ("9" * 30, "is too large"),
        ("", "line 1, column 1"),
        ("{'a': 1}", "line 1, column 2"),
        ('{"a": 1,\n "b" 2}', "line 2, column 6"),
        ('"a\tb"', "line 1"),
        ("[1] 2", "line 1, column 5"),
        ("[" * 100_000, r"nested more than 64 levels deep .*\(line 1, column 65\)"),
        ('{"a":' * 65 + "1" + "}" * 65, "nested more than 64"),
        ("\ufeff{}", "line 1"),
        ('{"' + "k" * 2000 + '": 1}', "at most 1024 characters"),
    ],
)
def test_json_is_read_strictly(text: str, reason: str) -> None:
    with pytest.raises(DocumentUnreadable, match=reason):
        from_json(text)


def test_brackets_in_strings_are_not_depth() -> None:
    assert from_json(json.dumps(["[{" * 100, '\\"[' * 100])) == ["[{" * 100, '\\"[' * 100]


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else '*a'] * 10)}]\n" for i in range(9)
        ),
        "[" + ", ".join(["1"] * 100_001) + "]",
    ],
)
def test_documents_that_grow_are_too_large(text: str) -> None:
    with pytest.raises(PayloadTooLarge, match="at most 100000 values"):
        yaml(text)


def test_the_limit_of_values_holds_for_json_too() -> None:
    with pytest.raises(PayloadTooLarge, match="at most 100000 values"):
        from_json("[" + ",".join(["1"] * 100_001) + "]")


def test_aliases_count_towards_the_depth() -> None:
    text = "\n".join(["a0: &a0 [1]", *(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 70))])
    with pytest.raises(DocumentUnreadable, match="nested more than 64"):
        yaml(text)


@pytest.mark.parametrize("media_type", ["application/json", "application/yaml"])
def test_a_document_above_the_limit_of_bytes_is_too_large(media_type: str) -> None:
    with pytest.raises(PayloadTooLarge, match="at most 10 bytes"):
        parse_document(b"[" + b" " * 20 + b"]", media_type, DefinitionLimits(bytes=10))


@pytest.mark.parametrize("media_type", ["application/json", "application/yaml"])
def test_only_utf_8_is_read(media_type: str) -> None:
    with pytest.raises(Malformed, match="not UTF-8: byte 1"):
        parse_document(b'"\xff"', media_type)


@pytest.mark.parametrize(
    ("media_type", "language"),
    [
        ("application/json", "json"),
        ("Application/JSON; charset=UTF-8", "json"),
        ("application/yaml", "yaml"),
        ("text/yaml", "yaml"),
        ("application/x-yaml", "yaml"),
        ("application/vnd.serverlessworkflow.v1+yaml", "yaml"),
        ("application/problem+json", "json"),
        ("text/plain", None),
        ("", None),
        ("multipart/form-data; boundary=application/json", None),
        ("application/xml", None),
        ("application/json; charset=latin1", None),
        ("json", None),
    ],
)
def test_the_media_type_decides_the_language(media_type: str, language: str | None) -> None:
    if language is None:
        with pytest.raises(UnsupportedMediaType):
            parse_document(b"{}", media_type)
    elif language == "yaml":
        assert parse_document(b"a: 1", media_type) == {"a": 1}
    else:
        with pytest.raises(DocumentUnreadable):
            parse_document(b"a: 1", media_type)


@given(JSON)
def test_the_canonical_form_says_the_same_and_is_its_own_canonical_form(value: JsonValue) -> None:
    again = from_json(canonical(value).decode())
    assert again == value
    assert canonical(again) == canonical(value)


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON))
def test_the_order_of_members_does_not_change_the_digest(value: dict[str, JsonValue]) -> None:
    turned = dict(reversed(value.items()))
    assert digest_of(value) == digest_of(turned)
    assert digest_of(value).startswith("sha256:")


@given(JSON)
def test_json_is_read_the_same_as_yaml(value: JsonValue) -> None:
    text = json.dumps(value, ensure_ascii=True)
    assert from_json(text) == value


def test_what_is_different_has_another_digest() -> None:
    values: list[JsonValue] = [
        {},
        [],
        None,
        0,
        False,
        "",
        {"a": 1},
        {"a": "1"},
        {"a": [1, 2]},
        {"a": [2, 1]},
    ]
    assert len({digest_of(value) for value in values}) == len(values)


@given(st.binary(max_size=60))
def test_no_bytes_make_anything_but_a_clear_error(content: bytes) -> None:
    for media_type in ("application/json", "application/yaml"):
        with suppress(Malformed, PayloadTooLarge):
            parse_document(content, media_type)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_text_makes_anything_but_a_clear_error(text: str) -> None:
    for media_type in ("application/json", "application/yaml"):
        with suppress(Malformed, PayloadTooLarge):
            parse_document(text.encode(), media_type)
