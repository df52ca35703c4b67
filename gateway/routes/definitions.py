"""Workflows as their authors write them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from chassis.errors import Kind, Malformed
from gateway.ports import (
    Definition,
    DefinitionWithDocument,
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

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
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
        yield Route(
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
        for path in (
            "/v1/workflows/{namespace}/{name}",
            "/v1/workflows/{namespace}/{name}/{version}",
        ):
            newest = not path.endswith("{version}")
            yield Route(
                method="GET",
                path=path,
                handler=self.get,
                summary="See a workflow" + (" (the newest version)" if newest else " of a version"),
                tag=TAG,
                permission="workflows:read",
                path_parameters={name: text for name, text in _PLACE.items() if name in path},
                replies=[Reply(200, "The definition", DefinitionWithDocument)],
                errors=[Kind.NOT_FOUND],
            )

    async def publish(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/workflows"""
        if request.media_type == JSON:
            strict_json.check(request.body)
        else:
            _check_text(request.body)
        definition, created = await self.workflows.publish(
            request.caller, request.body, JSON if request.media_type == JSON else YAML
        )
        return answer(definition, 201 if created else 200)

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


def _check_text(body: bytes) -> None:
    try:
        body.decode()
    except UnicodeDecodeError:
        raise Malformed("The document is not valid UTF-8") from None
