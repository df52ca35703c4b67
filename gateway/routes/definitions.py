"""Workflows as their authors write them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from chassis.errors import Kind, Malformed
from gateway.ports import (
    Definition,
    DefinitionWithDocument,
    DeploymentCheck,
    Deployments,
    Page,
    WorkflowReference,
    Workflows,
)
from gateway.routes import strict_json
from gateway.routes.paging import PAGING
from gateway.routes.problems import JSON
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer

TAG: Final = "Workflows"
YAML: Final = "application/yaml"
MEDIA_TYPES: Final = (JSON, YAML, "application/x-yaml", "text/yaml", "text/x-yaml")
_NEWEST: Final = "/v1/workflows/{namespace}/{name}"
_VERSION: Final = _NEWEST + "/{version}"
_PLACE: Final = {
    "namespace": "The namespace of the workflow",
    "name": "Its name",
    "version": "Its semantic version",
}
_EXAMPLE: Final = {
    "document": {"dsl": "1.0.3", "namespace": "examples", "name": "greet", "version": "1.0.0"},
    "do": [{"greet": {"set": {"greeting": '${ "Hello, \\(.name)!" }'}}}],
}


@dataclass(frozen=True, slots=True)
class DefinitionRoutes:
    """Everything under /v1/workflows."""

    workflows: Workflows
    deployments: Deployments

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._publish_route()
        yield self._check_route()
        yield self._list_route()
        yield self._get_route(_NEWEST, "See a workflow (the newest version)")
        yield self._get_route(_VERSION, "See a workflow of a version")

    def _publish_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/workflows",
            handler=self.publish,
            summary="Register a workflow",
            description="A document in the Open Workflow Specification DSL 1.0, JSON or YAML. "
            "All problems are told at once, each with the JSON Pointer of its place.",
            tag=TAG,
            permission="workflows:write",
            finishes=True,
            body=Body(
                dict[str, Any], MEDIA_TYPES, examples={"greet": _EXAMPLE}, description="The DSL"
            ),
            replies=[
                Reply(201, "Registered", Definition),
                Reply(200, "The same content was there already", Definition),
            ],
            errors=[Kind.CONFLICT],
        )

    def _check_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/workflows/check",
            handler=self.check,
            summary="See what registering a workflow would mean",
            description="Checks the document, and compares it with the newest version and with every "
            "version that has open executions. Those stay with the version they began with, also when "
            "they are retried; what starts without a version gets the newest. Nothing is kept.",
            tag=TAG,
            permission="workflows:write",
            body=Body(
                dict[str, Any], MEDIA_TYPES, examples={"greet": _EXAMPLE}, description="The DSL"
            ),
            replies=[Reply(200, "What differs, and whom it concerns", DeploymentCheck)],
        )

    def _list_route(self) -> Route:
        return Route(
            method="GET",
            path="/v1/workflows",
            handler=self.list,
            summary="List workflows",
            tag=TAG,
            permission="workflows:read",
            parameters=[
                Parameter("namespace", "Only of this namespace", {"type": "string"}),
                Parameter("name", "Only of this name", {"type": "string"}),
                *PAGING,
            ],
            replies=[Reply(200, "A page of definitions", Page[Definition])],
        )

    def _get_route(self, path: str, summary: str) -> Route:
        return Route(
            method="GET",
            path=path,
            handler=self.get,
            summary=summary,
            tag=TAG,
            permission="workflows:read",
            path_parameters={name: text for name, text in _PLACE.items() if name in path},
            replies=[Reply(200, "The definition", DefinitionWithDocument)],
            errors=[Kind.NOT_FOUND],
        )

    async def publish(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/workflows"""
        kind = _checked_type(request)
        definition, created = await self.workflows.publish(request.caller, request.body, kind)
        return answer(definition, 201 if created else 200)

    async def check(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/workflows/check"""
        kind = _checked_type(request)
        return answer(await self.deployments.check(request.caller, request.body, kind))

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/workflows"""
        query = request.query()
        namespace, name, page = query.text("namespace"), query.text("name"), query.page()
        query.check()
        return answer(await self.workflows.definitions(request.caller, namespace, name, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/workflows/{namespace}/{name}[/{version}]"""
        place = request.arguments
        reference = WorkflowReference(place["namespace"], place["name"], place.get("version", ""))
        return answer(await self.workflows.definition(request.caller, reference))


def _checked_type(request: Incoming) -> str:
    if request.media_type == JSON:
        strict_json.check(request.body)
        return JSON
    _check_text(request.body)
    return YAML


def _check_text(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Malformed("The document is not valid UTF-8") from None
