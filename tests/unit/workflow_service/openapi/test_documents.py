"""Where operations are found: versions, servers, references."""

from __future__ import annotations

import pytest

from tests.unit.workflow_service.openapi.support import HERE, Shelf, one, operation, request
from workflow_service.adapters.task_runners.openapi import Documents
from workflow_service.adapters.task_runners.openapi.finding import find_operation
from workflow_service.adapters.task_runners.openapi.references import References
from workflow_service.application.resource_ports import ResourceFailed
from workflow_service.domain.execution.credentials import BearerCredentials, Resource
from workflow_service.domain.execution.problem import Raised

STORE_2 = """
swagger: '2.0'
info: {title: Store, version: '1'}
host: store.test
basePath: /v2
schemes: [http, https]
consumes: [application/json]
paths:
  /pets/findByStatus:
    get:
      operationId: findPets
      parameters:
      - {name: status, in: query, type: array, items: {type: string}, collectionFormat: multi}
      - {name: tags, in: query, type: array, collectionFormat: ssv}
      - {name: ids, in: query, type: array}
      - {name: api_key, in: header, type: string}
  /pets/{petId}:
    post:
      operationId: updatePet
      consumes: [application/x-www-form-urlencoded]
      parameters:
      - {name: petId, in: path, required: true, type: integer}
      - {name: name, in: formData, type: string, required: true}
      - {name: tags, in: formData, type: array}
    put:
      operationId: replacePet
      parameters:
      - {$ref: '#/parameters/Id'}
      - {name: pet, in: body, required: true, schema: {$ref: '#/definitions/Pet'}}
  /pets/{petId}/photo:
    post:
      operationId: upload
      consumes: [multipart/form-data]
      parameters:
      - {name: petId, in: path, required: true, type: integer}
      - {name: file, in: formData, type: file}
parameters:
  Id: {name: petId, in: path, required: true, type: integer}
definitions:
  Pet: {type: object, required: [name], properties: {name: {type: string}}}
"""


async def test_an_operation_of_swagger_2_has_its_address_from_host_and_base_path() -> None:
    found = await request(
        STORE_2, "findPets", status=["a", "b"], tags=["x", "y"], ids=[1, 2], api_key="k"
    )

    assert found.method == "GET"
    assert (
        found.url == "https://store.test/v2/pets/findByStatus?status=a&status=b&tags=x%20y&ids=1,2"
    )
    assert found.headers == {"api_key": "k"}


async def test_a_form_of_swagger_2_is_a_body() -> None:
    found = await request(STORE_2, "updatePet", petId=7, name="Milo", tags=["a", "b"])

    assert (found.url, found.body) == ("https://store.test/v2/pets/7", b"name=Milo&tags=a%2Cb")
    assert found.headers == {"Content-Type": "application/x-www-form-urlencoded"}
    with pytest.raises(Raised, match="'name' is required"):
        await request(STORE_2, "updatePet", petId=7, tags=[])


@pytest.mark.parametrize("given", [{"pet": {"name": "Milo"}}, {"name": "Milo"}])
async def test_a_body_of_swagger_2_is_given_by_its_name_or_its_members(
    given: dict[str, str],
) -> None:
    found = await request(STORE_2, "replacePet", petId=7, **given)

    assert (found.method, found.body) == ("PUT", b'{"name":"Milo"}')


async def test_a_file_of_swagger_2_is_a_part() -> None:
    found = await request(STORE_2, "upload", petId=7, file="aGk=")

    assert found.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert b"\r\n\r\nhi\r\n" in (found.body or b"")


@pytest.mark.parametrize(
    ("head", "url"),
    [
        ("{swagger: '2.0', basePath: /v1/}", "https://docs.test/v1/x"),
        ("{swagger: '2.0', host: 'a.test:81', schemes: [http]}", "http://a.test:81/x"),
        ("{openapi: 3.0.0}", "https://docs.test/x"),
        ("{openapi: 3.0.0, servers: []}", "https://docs.test/x"),
        ("{openapi: 3.1.0, servers: [{url: /v3/}]}", "https://docs.test/v3/x"),
        ("{openapi: 3.1.0, servers: [{url: ./v3}]}", "https://docs.test/api/v3/x"),
        ("{openapi: 3.1.0, servers: [{url: 'http://a.test'}, {url: 'http://b.test'}]}", "http://a.test/x"),
        (
            "{openapi: 3.1.0, servers: [{url: 'https://{region}.a.test:{port}/{at}',"
            " variables: {region: {default: eu}, port: {default: '8443'}, at: {default: v2}}}]}",
            "https://eu.a.test:8443/v2/x",
        ),
    ],
)  # fmt: skip
async def test_the_server_is_what_the_document_says(head: str, url: str) -> None:
    text = f"{head[:-1]}, paths: {{/x: {{get: {{operationId: op}}}}}}}}"

    assert (await request(text)).url == url


async def test_the_nearest_server_counts() -> None:
    text = """
openapi: 3.0.0
servers: [{url: https://root.test}]
paths:
  /x: {get: {operationId: a}, servers: [{url: https://path.test}]}
  /y: {get: {operationId: b, servers: [{url: https://op.test}]}, servers: [{url: https://path.test}]}
"""
    assert (await request(text, "a")).url == "https://path.test/x"
    assert (await request(text, "b")).url == "https://op.test/y"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not an object"),
        ("{asyncapi: 3.0.0}", "neither OpenAPI 3 nor Swagger 2.0"),
        ("{openapi: 4.0.0}", "neither OpenAPI 3 nor Swagger 2.0"),
        ("a: b: c", "cannot be read"),
        ("{openapi: 3.1.0, paths: {/x: {get: {operationId: opp}}}}", "did you mean 'opp'"),
        ("{openapi: 3.1.0}", "there are none"),
        ("{openapi: 3.1.0, paths: [1, 2]}", "there are none"),
        ("{openapi: 3.1.0, paths: {/x: {get: {operationId: op}}}, servers: [{url: 'ftp://a'}]}", "over HTTP"),
        ("{openapi: 3.1.0, paths: {/x: {get: {operationId: op}}}, servers: [{url: '{v}'}]}", "no default"),
        ("{swagger: '2.0', paths: {/x: {get: {operationId: op}}}, schemes: [ws]}", "not offered over HTTP"),
    ],
)  # fmt: skip
async def test_a_document_that_cannot_be_used_says_why(text: str, message: str) -> None:
    with pytest.raises(Raised, match=message) as refused:
        await request(text)
    assert refused.value.problem.type.endswith("/configuration")


async def test_references_lead_within_a_document_and_to_others() -> None:
    shelf = Shelf(
        {
            HERE: """
openapi: 3.1.0
servers: [{url: https://api.test}]
paths: {/x: {$ref: 'paths/x.json#/a~1b'}}
""",
            "https://docs.test/api/paths/x.json": """
{"a/b": {"post": {"operationId": "op", "parameters": [
  {"$ref": "../../shared.yaml#/parameters/Page"}, {"$ref": "#/local%20one"}]}},
 "local one": {"name": "q", "in": "query"}}
""",
            "https://docs.test/shared.yaml": "parameters: {Page: {name: page, in: query, style: form}}",
        }
    )

    found = await operation("", shelf=shelf)

    assert [each.name for each in found.parameters] == ["page", "q"]
    assert [resource.uri for resource in shelf.asked] == list(shelf.texts)


async def test_what_stands_in_the_document_is_found_without_looking_elsewhere() -> None:
    shelf = Shelf(
        {HERE: "{openapi: 3.1.0, paths: {/a: {$ref: 'a.yaml'}, /b: {get: {operationId: op}}}}"}
    )

    assert (await operation("", shelf=shelf)).path == "/b"
    assert len(shelf.asked) == 1


async def test_a_document_elsewhere_does_not_get_the_credentials() -> None:
    shelf = Shelf(
        {
            HERE: "{openapi: 3.1.0, paths: {/x: {$ref: '/b.yaml'}, /y: {$ref: 'https://other.test/c.yaml'}}}",
            "https://docs.test/b.yaml": "{get: {operationId: no}}",
            "https://other.test/c.yaml": "{get: {operationId: op}}",
        }
    )
    documents, first = Documents(shelf), Resource(HERE, BearerCredentials("s"))
    document = await documents.get(first, "t")

    await find_operation(document, "op", References(documents, first, "t"))

    assert [resource.credentials for resource in shelf.asked] == [first.credentials] * 2 + [None]


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("{$ref: '#/components/a'}", "leads in a circle"),
        ("{$ref: '#/components/c'}", "there is nothing at"),
        ("{$ref: '#c'}", "there is nothing at"),
        ("{$ref: '#/components/list/7'}", "there is nothing at"),
        ("{$ref: 'file:///etc/passwd'}", "cannot refer to a file"),
    ],
)
async def test_a_reference_that_leads_nowhere_is_told(parameter: str, message: str) -> None:
    text = f"""
openapi: 3.1.0
paths: {{/x: {{get: {{operationId: op, parameters: [{parameter}]}}}}}}
components: {{a: {{$ref: '#/components/b'}}, b: {{$ref: '#/components/a'}}, list: [1]}}
"""
    with pytest.raises(Raised, match=message):
        await request(text)


async def test_references_are_bounded() -> None:
    chain = {f"p{n}": {"$ref": f"#/components/p{n + 1}"} for n in range(40)}
    many = [{"$ref": f"other{n}.yaml"} for n in range(101)]
    shelf = Shelf({f"https://docs.test/api/other{n}.yaml": f"{{name: p{n}, in: query}}" for n in range(101)})  # fmt: skip
    head = "openapi: 3.1.0\npaths: {/x: {get: {operationId: op, parameters: "

    with pytest.raises(Raised, match="too many references"):
        await request(f"{head}[{{$ref: '#/components/p0'}}]}}}}}}\ncomponents: {chain}")
    shelf.texts = {**shelf.texts, HERE: f"{head}{many}}}}}}}"}
    with pytest.raises(Raised, match="more than 100 others"):
        await operation("", shelf=shelf)


async def test_references_are_not_followed_for_ever() -> None:
    shelf = Shelf(
        {
            HERE: "{openapi: 3.1.0, paths: {/a: {$ref: 'a.yaml'}, /b: {$ref: 'b.yaml'}}}",
            "https://docs.test/api/a.yaml": "{get: {operationId: other}}",
        }
    )
    documents, first, times = Documents(shelf), Resource(HERE), iter([0.0, 1.0, 61.0])
    document = await documents.get(first, "t")
    references = References(documents, first, "t", monotonic=lambda: next(times))

    with pytest.raises(Raised, match="took more than 60 s") as refused:
        await find_operation(document, "op", references)
    assert (refused.value.problem.type.rpartition("/")[2], refused.value.problem.status) == ("timeout", 408)  # fmt: skip


async def test_a_document_that_is_not_there_is_its_own_problem() -> None:
    with pytest.raises(ResourceFailed):
        await operation("", shelf=Shelf({}))


async def test_a_document_is_read_once() -> None:
    shelf = Shelf({HERE: one("{}")})
    documents = Documents(shelf)

    first = await documents.get(Resource(HERE), "t")
    again = await documents.get(Resource(HERE), "t")

    assert again.value is first.value
