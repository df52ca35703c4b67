"""Operations of services that real documents describe, called over real connections."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tests.component.workflow_service.egress.conftest import Server, names, serving
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressLimits
from workflow_service.adapters.resources import ExternalResources
from workflow_service.adapters.task_runners.http import HttpRunner
from workflow_service.adapters.task_runners.openapi import Documents, OpenapiRunner
from workflow_service.domain.execution.credentials import BasicCredentials, BearerCredentials
from workflow_service.domain.execution.effects import (
    Effect,
    Failed,
    OpenapiCall,
    Resource,
    Succeeded,
)
from workflow_service.domain.expressions import JsonValue

EXAMPLE = Path(__file__).parents[5] / "shared/spec/open-workflow/examples/call-openapi.yaml"

STORE = """
swagger: '2.0'
info: {title: Pets, version: '1'}
basePath: /v2
paths:
  /pet/findByStatus:
    get:
      operationId: findPetsByStatus
      parameters:
      - {name: status, in: query, required: true, type: array, collectionFormat: multi}
  /pet:
    post:
      operationId: addPet
      parameters: [{$ref: 'parts.yaml#/parameters/Pet'}]
  /pet/{petId}/uploadImage:
    post:
      operationId: uploadFile
      consumes: [multipart/form-data]
      parameters:
      - {name: petId, in: path, required: true, type: integer}
      - {name: file, in: formData, type: file}
"""
PARTS = "parameters: {Pet: {name: body, in: body, required: true, schema: {type: object}}}"


@dataclass
class Shop:
    """A service that shows its documents and answers with what it was asked."""

    server: Server
    documents: Mapping[str, str]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        text = self.documents.get(request.path)
        if text is not None:
            return web.Response(text=text, content_type="application/yaml")
        if request.path.endswith("/old"):
            raise web.HTTPFound("/v2/new")
        body = await request.text()
        return web.json_response(
            {"method": request.method, "at": request.path_qs, "body": body}, status=201
        )


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    server = Server()
    runner = await serving(server, "127.0.0.1")
    shop = Shop(server, {"/v2/swagger.yaml": STORE, "/v2/parts.yaml": PARTS})
    server.answer = shop.answer
    yield shop
    await runner.cleanup()


@pytest.fixture
async def runner() -> AsyncIterator[OpenapiRunner]:
    limits = EgressLimits(total_timeout=20.0)
    async with EgressClient(allow=["127.0.0.1"], lookup=names(), limits=limits) as client:
        egress = AuthenticatedEgress(client)
        yield OpenapiRunner(Documents(ExternalResources(egress)), HttpRunner(egress))


async def perform(runner: OpenapiRunner, call: OpenapiCall) -> Succeeded | Failed:
    return await runner.perform("e1", Effect(1, "e1:/do/0/t", call, tenant="t"))


async def test_operations_are_called_and_documents_are_fetched_once(
    runner: OpenapiRunner, shop: Shop
) -> None:
    document = Resource(shop.server.url("/v2/swagger.yaml"))

    found = await perform(
        runner, OpenapiCall(document, "findPetsByStatus", {"status": ["sold", "a&b"]})
    )
    added = await perform(runner, OpenapiCall(document, "addPet", {"body": {"name": "Milo"}}))
    picture = base64.b64encode(b"picture").decode()
    sent = await perform(runner, OpenapiCall(document, "uploadFile", {"petId": 7, "file": picture}))

    assert found == Succeeded(
        {"method": "GET", "at": "/v2/pet/findByStatus?status=sold&status=a%26b", "body": ""}
    )
    assert added == Succeeded({"method": "POST", "at": "/v2/pet", "body": '{"name":"Milo"}'})
    assert isinstance(sent, Succeeded)
    assert b'name="file"; filename="file"' in shop.server.bodies[-1]
    assert b"\r\n\r\npicture\r\n" in shop.server.bodies[-1]
    paths = [request.path for request in shop.server.requests]
    assert paths.count("/v2/swagger.yaml") == paths.count("/v2/parts.yaml") == 1
    keys = {request.headers.get("Idempotency-Key") for request in shop.server.requests}
    assert keys == {None, "e1:/do/0/t"}


@pytest.mark.skipif(
    not EXAMPLE.is_file(), reason="the examples of the standard are not on this machine"
)
async def test_the_example_of_the_standard_runs_against_a_stand_in(
    runner: OpenapiRunner, shop: Shop
) -> None:
    shop.documents = {"/v2/swagger.json": STORE}
    call = yaml.safe_load(EXAMPLE.read_text())["do"][0]["findPet"]["with"]
    document = call["document"]["endpoint"].replace(
        "https://petstore.swagger.io", shop.server.url("")
    )

    found = await perform(
        runner, OpenapiCall(Resource(document), call["operationId"], call["parameters"])
    )

    assert isinstance(found, Succeeded)
    assert "status=available" in str(found.output)


async def test_document_and_operation_have_credentials_of_their_own(
    runner: OpenapiRunner, shop: Shop
) -> None:
    document = Resource(shop.server.url("/v2/swagger.yaml"), BasicCredentials("a", "b"))

    await perform(
        runner, OpenapiCall(document, "addPet", {"body": 1}, credentials=BearerCredentials("t0k"))
    )

    sent = {r.path: r.headers.get("Authorization") for r in shop.server.requests}
    assert sent == {
        "/v2/swagger.yaml": "Basic YTpi", "/v2/parts.yaml": "Basic YTpi", "/v2/pet": "Bearer t0k",
    }  # fmt: skip


@pytest.mark.parametrize("output", ["raw", "content", "response"])
@pytest.mark.parametrize("redirect", [True, False])
async def test_output_and_redirect_mean_what_they_mean_for_http(
    runner: OpenapiRunner, shop: Shop, output: str, redirect: bool
) -> None:
    shop.documents = {"/api": "{openapi: 3.1.0, servers: [{url: /v2}], paths: {/old: {get: {operationId: go}}}}"}  # fmt: skip
    call = OpenapiCall(Resource(shop.server.url("/api")), "go", {}, output, redirect)  # type: ignore[arg-type]  # one of three

    outcome = await perform(runner, call)

    if not redirect:
        assert isinstance(outcome, Failed)
        assert (outcome.problem.type.rpartition("/")[2], outcome.problem.status) == ("communication", 302)  # fmt: skip
        return
    assert isinstance(outcome, Succeeded)
    content: JsonValue = {"method": "GET", "at": "/v2/new", "body": ""}
    match outcome.output:
        case str(raw):
            assert output == "raw"
            assert yaml.safe_load(base64.b64decode(raw)) == content
        case {"statusCode": 201, "content": found}:
            assert (output, found) == ("response", content)
        case found:
            assert (output, found) == ("content", content)


@pytest.mark.parametrize(
    "document",
    [
        "{openapi: 3.1.0, servers: [{url: 'http://10.0.0.1'}], paths: {/x: {get: {operationId: op}}}}",
        "{openapi: 3.1.0, servers: [{url: 'http://a:b@127.0.0.1'}], paths: {/x: {get: {operationId: op}}}}",
        "{openapi: 3.1.0, paths: {/x: {$ref: 'http://169.254.169.254/latest'}}}",
        "{openapi: 3.1.0, paths: {/x: {$ref: 'gopher://127.0.0.1/x'}}}",
        "{swagger: '2.0', host: '10.0.0.1', paths: {/x: {get: {operationId: op}}}}",
    ],
)
async def test_a_document_leads_nowhere_that_a_call_could_not_go(
    runner: OpenapiRunner, shop: Shop, document: str
) -> None:
    shop.documents = {"/api": document}

    outcome = await perform(runner, OpenapiCall(Resource(shop.server.url("/api")), "op"))

    assert isinstance(outcome, Failed)
    assert (outcome.problem.type.rpartition("/")[2], outcome.problem.status) == ("authorization", 403)  # fmt: skip
    assert "10.0.0.1" not in str(outcome.problem)


async def test_a_large_document_is_read_aside(runner: OpenapiRunner, shop: Shop) -> None:
    many = "".join(f"  /p{n}: {{get: {{operationId: op{n}}}}}\n" for n in range(3_000))
    shop.documents = {"/api": f"openapi: 3.1.0\nservers: [{{url: /v2}}]\npaths:\n{many}"}

    outcome = await perform(runner, OpenapiCall(Resource(shop.server.url("/api")), "op2999"))

    assert isinstance(outcome, Succeeded)
