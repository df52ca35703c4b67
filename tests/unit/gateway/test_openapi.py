"""The contract is sound: every reference leads somewhere, every name is used once."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import jsonschema_rs
import msgspec
import pytest

from chassis.health import Health
from chassis.lifecycle import Supervisor
from chassis.rpc.client import RpcClient
from gateway.bootstrap.groups import Parts, every_route
from gateway.ports import Gatekeeper, KeyGatekeeper
from gateway.routes import openapi
from gateway.routes.public_address import PublicAddress
from gateway.routes.route import Access
from gateway.routes.sse import Streams


@pytest.fixture
async def document() -> dict[str, Any]:
    """The contract as it is sent."""
    async with Supervisor() as supervisor:
        made = openapi.document(every_route(_parts(supervisor)), version="1.2.3")
    return cast("dict[str, Any]", json.loads(msgspec.json.encode(made)))


def _parts(supervisor: Supervisor) -> Parts:
    """Parts that lead nowhere."""
    nowhere = cast("RpcClient", SimpleNamespace(call=None, stream=None, channel=Nowhere()))
    keeper, keys = cast("Gatekeeper", None), cast("KeyGatekeeper", None)
    return Parts(
        nowhere, nowhere, nowhere, keeper, keys, Streams(supervisor), Health(), PublicAddress()
    )


class Nowhere:
    """A channel for stubs that nobody calls."""

    def unary_unary(self, *_: object, **__: object) -> None:
        return None

    unary_stream = unary_unary


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation with its path and method."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def references(node: Any) -> Iterator[str]:
    """Every reference below *node*."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        node: Any = document
        for key in reference.removeprefix("#/").split("/"):
            node = node[key]
        assert node


async def test_operation_ids_are_unique_and_everything_is_described(
    document: dict[str, Any],
) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    tags = {tag["name"] for tag in document["tags"]}

    assert len(names) == len(set(names))
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert set(operation["tags"]) <= tags
        assert {"400", "403", "500", "503", "504"} <= set(operation["responses"])
        for parameter in operation["parameters"]:
            assert parameter["description"]
            assert parameter["schema"]


async def test_pages_and_oauth_name_each_status_and_shape_of_a_refusal(
    document: dict[str, Any],
) -> None:
    refused = {
        path: operation["responses"]
        for path, _, operation in operations(document)
        if path.startswith(("/oauth2/", "/account/"))
    }

    assert refused
    for path, responses in refused.items():
        kinds = {"text/html"} if "text/html" in responses["415"]["content"] else set()
        for status in ("400", "401", "403", "413", "415"):
            kinds_told = set(responses[status]["content"])
            assert kinds_told == kinds | {"application/json", "application/problem+json"}, path


async def test_granting_a_role_says_that_there_may_be_no_such_role(
    document: dict[str, Any],
) -> None:
    assert "422" in document["paths"]["/v1/users/{id}/roles/{role}"]["put"]["responses"]


async def test_what_is_in_the_path_is_a_parameter(document: dict[str, Any]) -> None:
    for path, _, operation in operations(document):
        named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


async def test_whatever_needs_a_token_says_so(document: dict[str, Any]) -> None:
    public = {path for path, _, each in operations(document) if each.get("security") == []}

    assert document["security"] == [{"accessToken": []}, {"apiKey": []}]
    assert {path for path in public if not path.startswith(("/oauth2/", "/account/"))} == {
        "/v1/auth/register", "/v1/auth/login", "/v1/auth/refresh", "/v1/auth/mfa",
        "/v1/auth/mfa/send", "/.well-known/jwks.json", "/v1/auth/password-reset",
        "/v1/auth/password-reset/confirm", "/v1/auth/verify-email", "/v1/auth/verify-email/resend",
        "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server",
        "/healthz", "/readyz", "/openapi.json", "/docs",
    }  # fmt: skip
    for _, _, operation in operations(document):
        if operation.get("security") != []:
            assert {"401", "403"} <= set(operation["responses"])


async def test_every_schema_is_json_schema_and_examples_fit(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        assert name.isidentifier()
    for _, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in content.get("examples", {}).values():
            schema = {**content["schema"], "components": document["components"]}
            jsonschema_rs.validate(schema, example["value"])
    for response in document["components"]["responses"].values():
        content = response["content"]["application/json"]
        schema = {**content["schema"], "components": document["components"]}
        jsonschema_rs.validate(schema, content["example"])


def test_access_has_no_other_exceptions() -> None:
    assert list(Access) == [Access.PUBLIC]
