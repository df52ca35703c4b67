"""Secrets that workflows use: values go in, and never out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from msgspec import Raw, Struct

from chassis.errors import Kind
from gateway.ports import Page, Secret, Secrets
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer, nothing

TAG: Final = "Secrets"
_NAME: Final = {"name": "The secret's name"}
_SHARED: Final = Parameter(
    "shared",
    "The tenant's secret of that name instead of one's own; for administrators",
    {"type": "boolean", "default": False},
)
_EXAMPLE: Final = {
    "name": "shop",
    "version": 1,
    "shared": False,
    "updated_at": "2026-01-15T10:30:00Z",
    "updated_by": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
}


class SecretBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A text, or an object whose leaves are texts; *shared* makes it the whole tenant's."""

    value: Raw
    shared: bool = False


@dataclass(frozen=True, slots=True)
class SecretRoutes:
    """Everything under /v1/secrets."""

    secrets: Secrets

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._put()
        yield Route(
            method="GET",
            path="/v1/secrets",
            handler=self.list,
            summary="List secrets",
            description="Those that one's executions may use, without their values.",
            tag=TAG,
            permission="secrets:read",
            parameters=PAGING,
            replies=[Reply(200, "A page of secrets", Page[Secret])],
        )
        yield Route(
            method="GET",
            path="/v1/secrets/{name}",
            handler=self.get,
            summary="Look at a secret",
            description="Which version there is since when; its value never comes out.",
            tag=TAG,
            permission="secrets:read",
            path_parameters=_NAME,
            replies=[Reply(200, "The secret, without its value", Secret, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
        )
        yield Route(
            method="DELETE",
            path="/v1/secrets/{name}",
            handler=self.delete,
            summary="Delete a secret",
            description="Calls that are made from now on do not get it: their tasks fault with 403.",
            tag=TAG,
            permission="secrets:write",
            path_parameters=_NAME,
            parameters=[_SHARED],
            replies=[Reply(204, "It is gone")],
            errors=[Kind.NOT_FOUND, Kind.CONFLICT],
            finishes=True,
        )

    def _put(self) -> Route:
        example = {"value": {"username": "ada", "password": "correct horse battery staple"}}
        return Route(
            method="PUT",
            path="/v1/secrets/{name}",
            handler=self.put,
            summary="Set a secret",
            description="Calls that are made from now on get the new value. Without `shared` it is "
            "one's own: only one's own executions may use it.",
            tag=TAG,
            permission="secrets:write",
            path_parameters=_NAME,
            body=Body(SecretBody, examples={"credentials": example, "text": {"value": "s3cr3t"}}),
            replies=[
                Reply(200, "It has a new value", Secret, example=_EXAMPLE | {"version": 2}),
                Reply(201, "It has its first value", Secret, example=_EXAMPLE),
            ],
            errors=[Kind.CONFLICT],
            finishes=True,
        )

    async def put(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/secrets/{name}"""
        body = request.read(SecretBody)
        name = request.arguments["name"]
        put = await self.secrets.put_secret(request.caller, name, body.value, shared=body.shared)
        return answer(put, 201 if put.version == 1 else 200)

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/secrets"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.secrets.secrets(request.caller, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/secrets/{name}"""
        return answer(await self.secrets.secret(request.caller, request.arguments["name"]))

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/secrets/{name}"""
        query = request.query()
        shared = query.flag("shared")
        query.check()
        name = request.arguments["name"]
        await self.secrets.delete_secret(request.caller, name, shared=shared)
        return nothing()
