"""Request bodies in every media type, as members or as a whole."""

from __future__ import annotations

import base64
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from tests.unit.workflow_service.openapi.support import one, request
from workflow_service.adapters.task_runners.openapi.requests import Request
from workflow_service.domain.execution.problem import Raised
from workflow_service.domain.expressions import JsonValue

PET = "{type: object, required: [name], properties: {name: {}, tags: {type: array}}}"


def taking(content: str, required: str = "true") -> str:
    return one(f"requestBody: {{required: {required}, content: {content}}}")


@pytest.mark.parametrize(
    "given", [{"name": "Milo", "tags": [1]}, {"body": {"name": "Milo", "tags": [1]}}]
)
async def test_a_body_is_given_as_a_whole_or_by_its_members(given: dict[str, JsonValue]) -> None:
    found = await request(taking(f"{{application/json: {{schema: {PET}}}}}"), **given)

    assert found.body == b'{"name":"Milo","tags":[1]}'
    assert found.headers == {"Content-Type": "application/json"}


async def test_a_body_that_is_no_object_is_given_as_a_whole() -> None:
    text = taking("{application/vnd.pets+json: {schema: {type: array}}}")

    found = await request(text, body=[1, 2])

    assert found.body == b"[1,2]"
    assert found.headers == {"Content-Type": "application/vnd.pets+json"}


async def test_a_body_may_have_a_member_named_body() -> None:
    text = taking("{application/json: {schema: {properties: {body: {}, subject: {}}}}}")

    assert (await request(text, body="b", subject="s")).body == b'{"body":"b","subject":"s"}'
    assert (await request(text, body="b")).body == b'{"body":"b"}'


async def test_a_body_of_null_is_a_body() -> None:
    assert (await request(taking("{application/json: {}}"), body=None)).body == b"null"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "a body is required"),
        ({"tags": []}, "'name' is required in the body"),
        ({"name": "a", "nmae": "b"}, "no parameter 'nmae': did you mean 'name'"),
        ({"body": {}, "name": "b"}, "no parameter 'name'"),
    ],
)
async def test_what_does_not_fit_is_told(given: dict[str, JsonValue], message: str) -> None:
    with pytest.raises(Raised, match=message) as refused:
        await request(taking(f"{{application/json: {{schema: {PET}}}}}"), **given)
    assert refused.value.problem.type.endswith("/validation")


async def test_a_body_that_is_not_required_may_be_left_out() -> None:
    found = await request(taking("{application/json: {}}", "false"))

    assert (found.body, found.headers) == (None, {})


async def test_a_form_has_one_pair_for_each_item() -> None:
    text = taking("""{application/x-www-form-urlencoded: {schema: {properties: {a: {}, b: {}, c: {}, d: {}}},
      encoding: {b: {explode: false}, c: {style: pipeDelimited, explode: false}}}}""")

    found = await request(text, a=["x y", 1], b=["x", "y"], c=["x", "y"], d=None)

    assert found.body == b"a=x+y&a=1&b=x%2Cy&c=x%7Cy"


async def test_a_text_is_sent_as_it_is() -> None:
    found = await request(taking("{text/csv: {}}"), body="a;b\nü")

    assert found.body == "a;b\nü".encode()
    assert found.headers == {"Content-Type": "text/csv"}


async def test_bytes_are_given_in_base64() -> None:
    text = taking("{image/png: {}}")

    assert (await request(text, body=base64.b64encode(b"\x89PNG").decode())).body == b"\x89PNG"
    wrongs: list[JsonValue] = ["no base64!", {"a": 1}]
    for wrong in wrongs:
        with pytest.raises(Raised, match="must be bytes, in base64"):
            await request(text, body=wrong)


def parts(found: Request) -> list[tuple[str, str | None, str, bytes]]:
    """Name, file name, type and content of each part, as a parser of mail reads them."""
    head = f"Content-Type: {found.headers['Content-Type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + (found.body or b""))
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),  # type: ignore[misc]  # parts of a form are bytes
        )
        for part in message.iter_parts()
    ]


@pytest.mark.parametrize(
    "schema", ["{type: string, format: binary}", "{contentMediaType: image/png}"]
)
async def test_a_form_with_files_has_parts(schema: str) -> None:
    text = taking(f"""{{multipart/form-data: {{schema: {{properties:
      {{photo: {schema}, id: {{}}, info: {{}}, tags: {{items: {{}}}}}}}}, encoding: {{info: {{contentType: application/ld+json}}}}}}}}""")

    found = await request(
        text,
        photo=base64.b64encode(b"\x89\r\n--PNG").decode(),
        id=7,
        info={"a": 1},
        tags=["x", "y"],
    )

    kind = "image/png" if "image" in schema else "application/octet-stream"
    assert parts(found) == [
        ("photo", "photo", kind, b"\x89\r\n--PNG"),
        ("id", None, "text/plain", b"7"),
        ("info", None, "application/ld+json", b'{"a":1}'),
        ("tags", None, "text/plain", b"x"),
        ("tags", None, "text/plain", b"y"),
    ]
    again = await request(
        text,
        photo=base64.b64encode(b"\x89\r\n--PNG").decode(),
        id=7,
        info={"a": 1},
        tags=["x", "y"],
    )
    assert again == found


async def test_a_name_cannot_break_out_of_its_part() -> None:
    text = taking("{multipart/form-data: {schema: {}}}")

    found = await request(text, **{'a"\r\nX: y': "1"})

    assert b'name="a%22%0D%0AX: y"' in (found.body or b"")


async def test_json_is_preferred_and_the_author_may_choose() -> None:
    text = one("""
      parameters: [{name: Content-Type, in: header}]
      requestBody: {content: {application/xml: {}, application/x-www-form-urlencoded: {}, application/json: {}}}
    """)

    assert (await request(text, a=1)).headers == {"Content-Type": "application/json"}
    chosen = await request(text, a=1, **{"Content-Type": "application/x-www-form-urlencoded"})
    assert (chosen.body, chosen.headers) == (
        b"a=1", {"Content-Type": "application/x-www-form-urlencoded"}
    )  # fmt: skip
    with pytest.raises(Raised, match="does not take 'text/plain'"):
        await request(text, a=1, **{"Content-Type": "text/plain"})


async def test_members_of_what_a_schema_is_made_of_count() -> None:
    text = """
openapi: 3.0.0
servers: [{url: https://api.test}]
paths:
  /x: {post: {operationId: op, requestBody: {$ref: '#/components/requestBodies/New'}}}
components:
  requestBodies:
    New: {content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}}
  schemas:
    New: {allOf: [{$ref: '#/components/schemas/Base'}, {properties: {size: {}}}]}
    Base: {allOf: [{properties: {age: {}}}], properties: {name: {$ref: '#/components/schemas/Name'}}}
    Name: {type: string}
"""
    assert (await request(text, name="a", size=1)).body == b'{"name":"a","size":1}'
    assert (await request(text, age=1)).body == b'{"age":1}'
    with pytest.raises(Raised, match="no parameter 'weight'"):
        await request(text, weight=1)


@pytest.mark.parametrize(
    "more",
    [
        "additionalProperties: true",
        "additionalProperties: {type: string}",
        "oneOf: [{properties: {other: {}}}]",
        "allOf: [{anyOf: [{properties: {other: {}}}]}]",
        "patternProperties: {'^o': {}}",
    ],
)
async def test_members_that_a_schema_does_not_list_may_be_given(more: str) -> None:
    text = taking(f"{{application/json: {{schema: {{properties: {{name: {{}}}}, {more}}}}}}}")

    assert (await request(text, name="a", other="b")).body == b'{"name":"a","other":"b"}'
