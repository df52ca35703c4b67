"""OAuth clients, for administrators."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Page
from gateway.ports.oauth import ClientMetadata, OAuthClient, OAuthClients, RotatedSecret
from gateway.routes.paging import PAGING
from gateway.routes.problems import one_problem
from gateway.routes.route import Body, Incoming, Reply, Route, answer, nothing

TAG: Final = "OAuth"
_READ: Final = "oauth-clients:read"
_WRITE: Final = "oauth-clients:write"
_ID: Final = {"id": "The client's id (client_id)"}
_PATH: Final = "/v1/oauth-clients"
_WEB: Final = {
    "client_name": "Order desk",
    "redirect_uris": ["https://desk.example.com/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile email offline_access executions:read",
}
_MACHINE: Final = {
    "client_name": "Nightly import",
    "grant_types": ["client_credentials"],
    "scope": "workflows:read executions:write",
}
_EXAMPLE: Final = {
    "client_id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "client_name": "Order desk",
    "application_type": "web",
    "token_endpoint_auth_method": "client_secret_basic",
    "grant_types": ["authorization_code", "refresh_token"],
    "redirect_uris": ["https://desk.example.com/callback"],
    "post_logout_redirect_uris": [],
    "scope": "openid profile email offline_access executions:read",
    "id_token_signed_response_alg": "RS256",
    "first_party": False,
    "resource_server": False,
    "service_account_roles": [],
    "created_at": "2026-01-15T10:30:00Z",
    "updated_at": "2026-01-15T10:30:00Z",
}
_SECRET: Final = {"client_secret": "mL0…"}


class RotateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """For how many seconds the secret before the new one still counts."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=30 * 24 * 3600)] | None = None


@dataclass(frozen=True, slots=True)
class OAuthClientRoutes:
    """Everything under /v1/oauth-clients."""

    oauth: OAuthClients

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._create_route()
        yield Route(
            method="GET",
            path=_PATH,
            handler=self.list,
            summary="List clients",
            tag=TAG,
            permission=_READ,
            service="auth",
            parameters=PAGING,
            replies=[Reply(200, "A page of clients, without secrets", Page[OAuthClient])],
        )
        yield Route(
            method="GET",
            path=f"{_PATH}/{{id}}",
            handler=self.get,
            summary="Look at a client",
            tag=TAG,
            permission=_READ,
            service="auth",
            path_parameters=_ID,
            replies=[Reply(200, "The client, without its secret", OAuthClient, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
        )
        yield self._update_route()
        yield self._delete_route()
        yield self._rotate_route()

    def _create_route(self) -> Route:
        return Route(
            method="POST",
            path=_PATH,
            handler=self.create,
            summary="Register a client",
            description="The metadata is that of RFC 7591. With `client_credentials` the client gets "
            "an account of its own, whose roles its scope narrows. A public client has "
            "`token_endpoint_auth_method: none`. PKCE is asked of every client.",
            tag=TAG,
            permission=_WRITE,
            service="auth",
            finishes=True,
            body=Body(ClientMetadata, examples={"web": _WEB, "machine": _MACHINE}),
            replies=[
                Reply(
                    201,
                    "The client, with its secret: this is the only time it is shown",
                    OAuthClient,
                    example={**_EXAMPLE, **_SECRET},
                    headers={"Location": "Where the client is"},
                )
            ],
        )

    def _update_route(self) -> Route:
        return Route(
            method="PUT",
            path=f"{_PATH}/{{id}}",
            handler=self.update,
            summary="Describe a client anew",
            description="All of its metadata is replaced, as in RFC 7592; how it authenticates stays.",
            tag=TAG,
            permission=_WRITE,
            service="auth",
            finishes=True,
            path_parameters=_ID,
            body=Body(ClientMetadata, examples={"web": _WEB}),
            replies=[Reply(200, "The client as it is now", OAuthClient, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
        )

    def _delete_route(self) -> Route:
        return Route(
            method="DELETE",
            path=f"{_PATH}/{{id}}",
            handler=self.delete,
            summary="Delete a client",
            description="Its tokens, its users' consents and its own account's rights are gone at once.",
            tag=TAG,
            permission=_WRITE,
            service="auth",
            finishes=True,
            path_parameters=_ID,
            replies=[Reply(204, "It is gone")],
            errors=[Kind.NOT_FOUND],
        )

    def _rotate_route(self) -> Route:
        example = {
            "client_id": _EXAMPLE["client_id"],
            **_SECRET,
            "previous_secret_expires_at": "2026-01-16T10:30:00Z",
        }
        return Route(
            method="POST",
            path=f"{_PATH}/{{id}}/rotate-secret",
            handler=self.rotate,
            summary="Give a client a new secret",
            description="The one before it counts for a while, so that nothing breaks meanwhile.",
            tag=TAG,
            permission=_WRITE,
            service="auth",
            finishes=True,
            path_parameters=_ID,
            body=Body(RotateBody, required=False, examples={"at once": {"overlap_seconds": 0}}),
            replies=[Reply(200, "The new secret, shown this once", RotatedSecret, example=example)],
            errors=[Kind.NOT_FOUND],
        )

    async def create(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/oauth-clients"""
        made = await self.oauth.create_client(request.caller, _metadata(request))
        return answer(made, 201, {"Location": f"{_PATH}/{made.client_id}"})

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/oauth-clients"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.oauth.clients(request.caller, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/oauth-clients/{id}"""
        return answer(await self.oauth.client(request.caller, request.arguments["id"]))

    async def update(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/oauth-clients/{id}"""
        metadata = _metadata(request)
        changed = await self.oauth.update_client(request.caller, request.arguments["id"], metadata)
        return answer(changed)

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/oauth-clients/{id}"""
        await self.oauth.delete_client(request.caller, request.arguments["id"])
        return nothing()

    async def rotate(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/oauth-clients/{id}/rotate-secret"""
        overlap = request.read(RotateBody).overlap_seconds
        client_id = request.arguments["id"]
        return answer(await self.oauth.rotate_secret(request.caller, client_id, overlap))


def _metadata(request: Incoming) -> ClientMetadata:
    metadata = request.read(ClientMetadata)
    if metadata.jwks_uri is not None:
        raise one_problem(
            "jwks_uri", "Keys are not fetched from addresses: give them inline, as jwks"
        )
    return metadata
