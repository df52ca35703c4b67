"""API keys: what programs call with."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from aiohttp import web
from msgspec import UNSET, Meta, Struct, UnsetType, field

from chassis.errors import Kind
from gateway.ports import (
    ApiKey,
    ApiKeys,
    Confirmation,
    Environment,
    KeyChanges,
    NewApiKey,
    Page,
    WantedKey,
)
from gateway.routes.origins import origin_of
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer, nothing

TAG: Final = "API keys"
_READ: Final = "api-keys:read"
_WRITE: Final = "api-keys:write"
_ID: Final = {"id": "The key's id"}
_DAY: Final = 24 * 3600
_Name = Annotated[str, Meta(min_length=1, max_length=100)]
_Permissions = Annotated[list[Annotated[str, Meta(max_length=129)]], Meta(max_length=100)]
_Rate = Annotated[int, Meta(ge=1, le=1_000_000)]
_Networks = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=50)]
_Password = Annotated[str, Meta(max_length=1024)]
_PROOF: Final = (
    " Needs a proof of the last five minutes of who the caller is: a login, the `password` here, or "
    "what POST /v1/auth/step-up takes; with a second factor, that one."
)
_Time = Annotated[datetime, Meta(tz=True)]
_EXAMPLE: Final = {
    "id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "name": "nightly import",
    "owner": "0199c5e8-1111-7a20-9d2e-3c1f5b7a9d10",
    "environment": "live",
    "prefix": "sk_live_4fT9qLw2ZxK",
    "permissions": ["executions:read", "executions:write"],
    "rate_limit": 120,
    "allowed_ips": ["203.0.113.0/24"],
    "expires_at": None,
    "created_at": "2026-01-15T10:30:00Z",
    "updated_at": "2026-01-15T10:30:00Z",
    "last_used_at": None,
    "uses": 0,
}
_TEXT: Final = "sk_live_4fT9qLw2ZxK…"
_WANTED: Final = {
    "name": "nightly import",
    "permissions": ["executions:read", "executions:write"],
    "rate_limit": 120,
    "allowed_ips": ["203.0.113.0/24"],
}


class KeyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A new key: what it may do, from where, how often, until when, and for what."""

    name: _Name
    permissions: _Permissions
    rate_limit: _Rate | None = None
    allowed_ips: _Networks = field(default_factory=list)
    expires_at: _Time | None = None
    environment: Environment = "live"
    password: _Password = ""


class KeyChangesBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change; what is not there stays, null takes a bound away."""

    name: _Name | UnsetType = UNSET
    permissions: _Permissions | UnsetType = UNSET
    rate_limit: _Rate | UnsetType | None = UNSET
    allowed_ips: _Networks | UnsetType = UNSET
    expires_at: _Time | UnsetType | None = UNSET
    password: _Password = ""


class RotateKeyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """For how long the text of today stays good."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=30 * _DAY)] = _DAY
    password: _Password = ""


@dataclass(frozen=True, slots=True)
class ApiKeyRoutes:
    """Everything under /v1/api-keys."""

    keys: ApiKeys

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._create_route()
        yield self._list_route()
        yield Route(
            method="GET",
            path="/v1/api-keys/{id}",
            handler=self.get,
            summary="Look at an API key",
            description="`uses` and `last_used_at` are some seconds late at the most.",
            tag=TAG,
            permission=_READ,
            service="auth",
            path_parameters=_ID,
            replies=[Reply(200, "The key, without its text", ApiKey, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
        )
        yield self._update_route()
        yield self._rotate_route()
        yield self._delete_route()

    def _list_route(self) -> Route:
        return Route(
            method="GET",
            path="/v1/api-keys",
            handler=self.list,
            summary="List API keys",
            description="One's own, newest first. Administrators (`users:read`) may ask for all "
            "of the tenant.",
            tag=TAG,
            permission=_READ,
            service="auth",
            parameters=[
                *PAGING,
                Parameter(
                    "all", "Everybody's, for administrators", {"type": "boolean", "default": False}
                ),
            ],
            replies=[Reply(200, "A page of keys", Page[ApiKey])],
        )

    def _delete_route(self) -> Route:
        return Route(
            method="DELETE",
            path="/v1/api-keys/{id}",
            handler=self.delete,
            summary="End an API key",
            description="It is refused everywhere within a second, and streams that it opened are "
            "closed. Administrators (`users:write`) may end anybody's.",
            tag=TAG,
            permission=_WRITE,
            service="auth",
            path_parameters=_ID,
            replies=[Reply(204, "It is dead")],
            errors=[Kind.NOT_FOUND],
            finishes=True,
        )

    def _create_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/api-keys",
            handler=self.create,
            summary="Make an API key",
            description="It acts for whoever makes it, with the named permissions as far as they "
            "still have them. The text in `key` is shown this once. `rate_limit` is in requests "
            "per minute; `allowed_ips` are addresses and networks (CIDR)." + _PROOF,
            tag=TAG,
            permission=_WRITE,
            service="auth",
            body=Body(KeyBody, examples={"import": _WANTED}),
            replies=[
                Reply(201, "The key with its text", NewApiKey, example=_EXAMPLE | {"key": _TEXT})
            ],
            errors=[Kind.CONFLICT, Kind.MFA_REQUIRED],
            finishes=True,
        )

    def _update_route(self) -> Route:
        return Route(
            method="PATCH",
            path="/v1/api-keys/{id}",
            handler=self.update,
            summary="Change an API key",
            description="It holds for requests from now on, wherever the key is used." + _PROOF,
            tag=TAG,
            permission=_WRITE,
            service="auth",
            path_parameters=_ID,
            body=Body(KeyChangesBody, examples={"no limit": {"rate_limit": None}}),
            replies=[Reply(200, "The key as it is now", ApiKey, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
            finishes=True,
        )

    def _rotate_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/api-keys/{id}/rotate",
            handler=self.rotate,
            summary="Give an API key another text",
            description="The one before it stays good for `overlap_seconds` (a day when nothing is "
            "said), so that it can be replaced without a pause. Of earlier ones none stays good."
            + _PROOF,
            tag=TAG,
            permission=_WRITE,
            service="auth",
            path_parameters=_ID,
            body=Body(RotateKeyBody, required=False, examples={"hour": {"overlap_seconds": 3600}}),
            replies=[Reply(200, "The key, new text", NewApiKey, example=_EXAMPLE | {"key": _TEXT})],
            errors=[Kind.NOT_FOUND],
            finishes=True,
        )

    async def create(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/api-keys"""
        body = request.read(KeyBody)
        wanted = WantedKey(
            name=body.name,
            permissions=body.permissions,
            rate_limit=body.rate_limit,
            allowed_ips=body.allowed_ips,
            expires_at=body.expires_at,
            environment=body.environment,
        )
        made = await self.keys.create_key(
            request.caller, wanted, Confirmation(origin_of(request), body.password)
        )
        return answer(made, 201, {"Location": f"/v1/api-keys/{made.id}"})

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/api-keys"""
        query = request.query()
        page, everybodys = query.page(), query.flag("all")
        query.check()
        return answer(await self.keys.keys(request.caller, page, everybodys=everybodys))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/api-keys/{id}"""
        return answer(await self.keys.key(request.caller, request.arguments["id"]))

    async def update(self, request: Incoming) -> web.StreamResponse:
        """PATCH /v1/api-keys/{id}"""
        body = request.read(KeyChangesBody)
        changes = KeyChanges(
            name=body.name,
            permissions=body.permissions,
            rate_limit=body.rate_limit,
            allowed_ips=body.allowed_ips,
            expires_at=body.expires_at,
        )
        confirmation = Confirmation(origin_of(request), body.password)
        key_id = request.arguments["id"]
        return answer(await self.keys.update_key(request.caller, key_id, changes, confirmation))

    async def rotate(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/api-keys/{id}/rotate"""
        body = request.read(RotateKeyBody) if request.body else RotateKeyBody()
        key_id = request.arguments["id"]
        confirmation = Confirmation(origin_of(request), body.password)
        return answer(
            await self.keys.rotate_key(request.caller, key_id, body.overlap_seconds, confirmation)
        )

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/api-keys/{id}"""
        await self.keys.delete_key(request.caller, request.arguments["id"])
        return nothing()
