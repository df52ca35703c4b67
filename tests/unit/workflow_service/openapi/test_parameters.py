"""Parameters in every place and every style."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.workflow_service.openapi.support import one, request
from workflow_service.adapters.task_runners.openapi.operation import Parameter
from workflow_service.adapters.task_runners.openapi.styles import in_path, in_query
from workflow_service.domain.execution.problem import Raised
from workflow_service.domain.expressions import JsonValue

LIST: JsonValue = ["blue", "black"]
OBJECT: JsonValue = {"R": 100, "G": 200}


async def written(
    place: str, style: str, explode: bool | None, value: JsonValue, more: str = ""
) -> str:
    told = "" if explode is None else f", explode: {str(explode).lower()}"
    told += f", style: {style}" if style else ""
    text = one(
        f"{{path: '/x/{{color}}', parameters: [{{name: color, in: {place}{told}{more}}}]}}"
        if place == "path"
        else f"{{parameters: [{{name: color, in: {place}{told}{more}}}]}}"
    )
    found = await request(text, color=value)
    match place:
        case "path":
            return found.url.removeprefix("https://api.test/v1/x/")
        case "query":
            return found.url.removeprefix("https://api.test/v1/x").removeprefix("?")
        case "cookie":
            return found.headers.get("Cookie", "")
        case _:
            return found.headers["color"]


@pytest.mark.parametrize(
    ("style", "explode", "text", "items", "members"),
    [
        ("", None, "blue", "blue,black", "R,100,G,200"),
        ("simple", True, "blue", "blue,black", "R=100,G=200"),
        ("label", False, ".blue", ".blue,black", ".R,100,G,200"),
        ("label", True, ".blue", ".blue.black", ".R=100.G=200"),
        ("matrix", False, ";color=blue", ";color=blue,black", ";color=R,100,G,200"),
        ("matrix", True, ";color=blue", ";color=blue;color=black", ";R=100;G=200"),
    ],
)
async def test_a_parameter_stands_in_the_path(
    style: str, explode: bool | None, text: str, items: str, members: str
) -> None:
    assert await written("path", style, explode, "blue") == text
    assert await written("path", style, explode, LIST) == items
    assert await written("path", style, explode, OBJECT) == members


@pytest.mark.parametrize(
    ("style", "explode", "items", "members"),
    [
        ("", None, "color=blue&color=black", "R=100&G=200"),
        ("form", False, "color=blue,black", "color=R,100,G,200"),
        ("spaceDelimited", False, "color=blue%20black", "color=R%20100%20G%20200"),
        ("pipeDelimited", False, "color=blue%7Cblack", "color=R%7C100%7CG%7C200"),
        ("pipeDelimited", True, "color=blue&color=black", "R=100&G=200"),
    ],
)
async def test_a_parameter_stands_in_the_query(
    style: str, explode: bool | None, items: str, members: str
) -> None:
    assert await written("query", style, explode, "blue") == "color=blue"
    assert await written("query", style, explode, LIST) == items
    assert await written("query", style, explode, OBJECT) == members
    assert await written("query", style, explode, []) == ""


async def test_a_deep_object_names_its_members() -> None:
    value: JsonValue = {"R": 100, "of": {"a": [1, True]}}

    found = await written("query", "deepObject", None, value)

    assert found == "color%5BR%5D=100&color%5Bof%5D%5Ba%5D=1&color%5Bof%5D%5Ba%5D=true"
    with pytest.raises(Raised, match="must be an object"):
        await written("query", "deepObject", None, "blue")


async def test_a_parameter_stands_in_a_header_or_in_a_cookie() -> None:
    assert await written("header", "", None, "a b/ü") == "a b/ü"
    assert await written("header", "", None, LIST) == "blue,black"
    assert await written("header", "", None, OBJECT) == "R,100,G,200"
    assert await written("header", "", True, OBJECT) == "R=100,G=200"
    assert await written("cookie", "", None, "blue; a=b") == "color=blue%3B%20a%3Db"
    assert await written("cookie", "", False, LIST) == "color=blue,black"


async def test_what_is_given_adds_nothing_to_the_address() -> None:
    assert await written("path", "", None, "a/../b?c#d{e}") == "a%2F..%2Fb%3Fc%23d%7Be%7D"
    assert await written("query", "", None, "a&b=c#d+e é") == "color=a%26b%3Dc%23d%2Be%20%C3%A9"
    for dots in (".", "..", ""):
        with pytest.raises(Raised, match="would change the path"):
            await written("path", "", None, dots)


async def test_reserved_characters_stay_where_the_document_allows_it() -> None:
    allowed = ", allowReserved: true"

    assert await written("query", "", None, "a/b?c:d&e#f", allowed) == "color=a/b?c:d%26e%23f"


async def test_a_parameter_may_be_json() -> None:
    content = ", content: {application/json: {schema: {type: object}}}"

    assert await written("query", "", None, {"a": [1]}, content) == "color=%7B%22a%22%3A%5B1%5D%7D"
    assert await written("header", "", None, {"a": [1]}, content) == '{"a":[1]}'


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (1.5, "1.5"), (0, "0"), ({"a": [1]}, "a,%5B1%5D")]
)
async def test_values_are_written_as_json_has_them(value: JsonValue, text: str) -> None:
    assert await written("path", "", None, value) == text


async def test_what_is_required_must_be_given_unless_it_has_a_default() -> None:
    text = one("""
      parameters:
      - {name: limit, in: query, required: true, schema: {type: integer, default: 20}}
      - {name: lang, in: header, required: true}
      - {name: page, in: query, schema: {default: 1}}
    """)

    assert (await request(text, lang="de")).url == "https://api.test/v1/x?limit=20"
    assert (await request(text, lang="de", limit=5, page=None)).url.endswith("?limit=5")
    for missing in ({}, {"lang": None}):
        with pytest.raises(Raised, match="'lang' in header is required") as refused:
            await request(text, **missing)
        assert refused.value.problem.type.endswith("/validation")


async def test_what_nobody_asked_for_is_told_with_what_was_probably_meant() -> None:
    text = one("{method: get, parameters: [{name: status, in: query}]}")

    with pytest.raises(Raised, match="no parameter 'state': did you mean 'status'"):
        await request(text, state="sold")


async def test_parameters_of_the_path_hold_unless_the_operation_has_its_own() -> None:
    text = """
openapi: 3.0.3
servers: [{url: https://api.test}]
paths:
  /pets/{id}:
    parameters:
    - {name: id, in: path, required: true, schema: {type: string}}
    - {name: view, in: query, style: form, explode: false}
    get:
      operationId: op
      parameters: [{name: view, in: query, style: pipeDelimited, explode: false}]
"""
    found = await request(text, id="a b", view=["x", "y"])

    assert found.url == "https://api.test/pets/a%20b?view=x%7Cy"
    assert found.method == "GET"


@pytest.mark.parametrize(
    ("described", "message"),
    [
        ("{parameters: [{name: a, in: body}]}", "no place for one"),
        ("{parameters: [{in: query}]}", "no place for one"),
        ("{parameters: [{name: a, in: header, style: form}]}", "cannot have the style 'form'"),
        ("{path: '/x/{id}'}", "which is no parameter of the operation"),
    ],
)
async def test_a_description_that_cannot_be_used_is_told(described: str, message: str) -> None:
    with pytest.raises(Raised, match=message) as refused:
        await request(one(described), a="b")
    assert refused.value.problem.type.endswith("/configuration")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@settings(deadline=None)
@given(value=TEXTS.filter(lambda text: text not in (".", "..")))
def test_any_text_comes_back_from_the_path_as_one_segment(value: str) -> None:
    parameter = Parameter("a", "path", True, "simple", False)

    found = in_path(parameter, value)

    assert unquote(found) == value
    assert not set("/?#;") & set(found)


@settings(deadline=None)
@given(value=st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS, min_size=1), min_size=1))
def test_any_values_come_back_from_the_query(value: dict[str, JsonValue]) -> None:
    pairs = [
        pair
        for name, each in value.items()
        for pair in in_query(Parameter(name, "query", True, "form", True), each)
    ]

    found = parse_qs("&".join(pairs), keep_blank_values=True, separator="&")
    # A plus sign means itself in what is written here, and a blank in what forms write.
    assert found == {
        name: each if isinstance(each, list) else [each] for name, each in value.items()
    }
