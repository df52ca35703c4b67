"""The accounts of a tenant, for administrators."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Account, AccountFilter, Ended, Page, Users
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer, nothing

TAG: Final = "Users"
_READ, _WRITE = "users:read", "users:write"
_ID: Final = {"id": "The user's id"}
_Text = Annotated[str, Meta(max_length=1024)]
_EXAMPLE: Final = {
    "id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "email": "ada@example.com",
    "email_verified": True,
    "name": "Ada",
    "roles": ["user"],
    "active": True,
    "created_at": "2026-01-15T10:30:00Z",
}
_LIMITS: Final = "Nobody changes the account of a user who may do more than oneself: 403."
_LAST: Final = "The last active administrator must stay one: 409."
_FILTERS: Final = (
    Parameter("email", "The beginning of the address", {"type": "string", "maxLength": 254}),
    Parameter("role", "Only users with this role", {"type": "string", "maxLength": 64}),
    Parameter("active", "Only active users, or only others", {"type": "boolean"}),
)


class NewUser(Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to make an account for; without a password they are invited to choose one."""

    email: _Text
    name: _Text = ""
    password: _Text | None = None


class UserChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different."""

    name: _Text | None = None
    email: _Text | None = None


@dataclass(frozen=True, slots=True)
class UserRoutes:
    """Everything under /v1/users but oneself and roles."""

    users: Users

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield from self._reading()
        yield from self._writing()
        yield from self._stopping()

    def _reading(self) -> Iterator[Route]:
        yield self._route(
            "GET",
            "",
            self.list,
            summary="List users",
            parameters=[*_FILTERS, *PAGING],
            replies=[Reply(200, "A page of users, the newest first", Page[Account])],
        )
        yield self._route(
            "GET",
            "/{id}",
            self.get,
            summary="Look at a user",
            replies=[Reply(200, "The user", Account, example=_EXAMPLE)],
        )

    def _writing(self) -> Iterator[Route]:
        yield self._route(
            "POST",
            "",
            self.create,
            summary="Make an account for somebody",
            description="With the role `user`. Without a password a link for choosing one is "
            "mailed; where no mail server is configured that is refused with 409.",
            body=Body(
                NewUser,
                examples={
                    "invited": {"email": "ada@example.com", "name": "Ada"},
                    "with a password": {
                        "email": "ada@example.com",
                        "password": "Correct-Horse-9",
                    },
                },
            ),
            replies=[Reply(201, "The user", Account, example=_EXAMPLE)],
            errors=[Kind.CONFLICT],
        )
        yield self._route(
            "PATCH",
            "/{id}",
            self.update,
            summary="Change a user's name or address",
            description="A new address counts at once but is not confirmed; the old one is told. "
            + _LIMITS,
            body=Body(UserChange, examples={"name": {"name": "Ada Lovelace"}}),
            replies=[Reply(200, "The user", Account, example=_EXAMPLE)],
            errors=[Kind.CONFLICT],
        )

    def _stopping(self) -> Iterator[Route]:
        yield self._route(
            "POST",
            "/{id}/deactivate",
            self.deactivate,
            summary="Deactivate a user",
            description="Sessions, tokens and API keys are refused within a second. "
            f"{_LIMITS} {_LAST}",
            replies=[Reply(200, "The user", Account, example=_EXAMPLE | {"active": False})],
            errors=[Kind.CONFLICT],
        )
        yield self._route(
            "POST",
            "/{id}/activate",
            self.activate,
            summary="Activate a user again",
            description=_LIMITS,
            replies=[Reply(200, "The user", Account, example=_EXAMPLE)],
        )
        yield self._route(
            "DELETE",
            "/{id}/sessions",
            self.end_sessions,
            summary="Log a user out everywhere",
            description=_LIMITS,
            replies=[Reply(200, "So many sessions have ended", Ended, example={"ended": 2})],
        )
        yield self._route(
            "DELETE",
            "/{id}",
            self.delete,
            summary="Delete a user",
            description="For good, with everything personal. What they have made stays with the "
            f"tenant under an id that leads to nobody. {_LIMITS} {_LAST}",
            replies=[Reply(204, "The user is gone")],
            errors=[Kind.CONFLICT],
        )

    def _route(
        self, method: str, path: str, handler: Any, *, errors: Any = (), **more: Any
    ) -> Route:
        one = path.startswith("/{id}")
        return Route(
            method=method,
            path=f"/v1/users{path}",
            handler=handler,
            tag=TAG,
            permission=_READ if method == "GET" else _WRITE,
            service="auth",
            path_parameters=_ID if one else {},
            errors=[*errors, Kind.NOT_FOUND] if one else errors,
            finishes=method != "GET",
            **more,
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users"""
        query = request.query()
        active = query.choices("active", ("true", "false"))
        wanted = AccountFilter(
            email=query.text("email", maximum=254),
            role=query.text("role", maximum=64) or None,
            active=active[0] == "true" if len(active) == 1 else None,
        )
        page = query.page()
        query.check()
        return answer(await self.users.users(request.caller, wanted, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/{id}"""
        return answer(await self.users.user(request.caller, request.arguments["id"]))

    async def create(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users"""
        body = request.read(NewUser)
        made = await self.users.create_user(request.caller, body.email, body.name, body.password)
        return answer(made, 201, {"Location": f"/v1/users/{made.id}"})

    async def update(self, request: Incoming) -> web.StreamResponse:
        """PATCH /v1/users/{id}"""
        body = request.read(UserChange)
        user_id = request.arguments["id"]
        return answer(await self.users.update_user(request.caller, user_id, body.name, body.email))

    async def deactivate(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/{id}/deactivate"""
        return await self._set_active(request, active=False)

    async def activate(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/{id}/activate"""
        return await self._set_active(request, active=True)

    async def _set_active(self, request: Incoming, *, active: bool) -> web.StreamResponse:
        user_id = request.arguments["id"]
        return answer(await self.users.set_active(request.caller, user_id, active=active))

    async def end_sessions(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/{id}/sessions"""
        return answer(await self.users.end_sessions(request.caller, request.arguments["id"]))

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/{id}"""
        await self.users.delete_user(request.caller, request.arguments["id"])
        return nothing()
