"""Roles: what they give, and who has them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import NewRole, Page, Role, Roles, UserRoles
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Reply, Route, answer, nothing

TAG: Final = "Roles"
_NAME: Final = {"name": "The role's name"}
_USER: Final = {"id": "The user's id"}
_USER_AND_ROLE: Final = {"id": "The user's id", "role": "The role's name"}
_Name = Annotated[str, Meta(max_length=64)]
_Description = Annotated[str, Meta(max_length=500)]
_Permissions = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=500)]
_Names = Annotated[list[_Name], Meta(max_length=100)]
_EXAMPLE: Final = {
    "name": "operator",
    "description": "Sees everything and stops what must be stopped",
    "permissions": ["executions:read-all", "executions:write-all"],
    "parents": ["user"],
    "effective_permissions": ["executions:read", "executions:read-all", "executions:write-all"],
    "built_in": False,
    "updated_at": "2026-01-15T10:30:00Z",
    "updated_by": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
}
_BODY_EXAMPLE: Final = {
    "description": "Sees everything and stops what must be stopped",
    "permissions": ["executions:read-all", "executions:write-all"],
    "parents": ["user"],
}
_ASSIGNED: Final = {
    "user_id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "roles": ["operator"],
    "permissions": ["executions:read", "executions:read-all", "executions:write-all"],
}
_LIMITS: Final = (
    "Nobody makes, changes or deletes a role that can do more than oneself, before or after: 403."
)
_OWN: Final = "The change is in force everywhere within a second."


class RoleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What a role gives: permissions of its own, and all that its parents give."""

    description: _Description = ""
    permissions: _Permissions = []
    parents: _Names = []


class NewRoleBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A role and its name."""

    name: _Name
    description: _Description = ""
    permissions: _Permissions = []
    parents: _Names = []


class AssignmentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """All roles that the user is to have."""

    roles: _Names


@dataclass(frozen=True, slots=True)
class RoleRoutes:
    """Everything under /v1/roles, and the roles of users."""

    roles: Roles

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield from self._reading()
        yield from self._writing()
        yield from self._assigning()

    def _reading(self) -> Iterator[Route]:
        yield Route(
            method="GET",
            path="/v1/roles",
            handler=self.list,
            summary="List roles",
            description="Those of the tenant, with the built-in ones, by name.",
            tag=TAG,
            service="auth",
            permission="roles:read",
            parameters=PAGING,
            replies=[Reply(200, "A page of roles", Page[Role])],
        )
        yield Route(
            method="GET",
            path="/v1/roles/{name}",
            handler=self.get,
            summary="Look at a role",
            tag=TAG,
            service="auth",
            permission="roles:read",
            path_parameters=_NAME,
            replies=[Reply(200, "The role, and all that it gives", Role, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
        )

    def _writing(self) -> Iterator[Route]:
        yield Route(
            method="POST",
            path="/v1/roles",
            handler=self.create,
            summary="Make a role",
            description=_LIMITS,
            tag=TAG,
            service="auth",
            permission="roles:write",
            body=Body(NewRoleBody, examples={"operator": {"name": "operator", **_BODY_EXAMPLE}}),
            replies=[Reply(201, "It is there", Role, example=_EXAMPLE)],
            errors=[Kind.CONFLICT],
            finishes=True,
        )
        yield Route(
            method="PUT",
            path="/v1/roles/{name}",
            handler=self.put,
            summary="Make or change a role",
            description=f"{_LIMITS} {_OWN} `admin` cannot be changed; `user` can.",
            tag=TAG,
            service="auth",
            permission="roles:write",
            path_parameters=_NAME,
            body=Body(RoleBody, examples={"operator": _BODY_EXAMPLE}),
            replies=[
                Reply(200, "It is as you said", Role, example=_EXAMPLE),
                Reply(201, "It is there", Role, example=_EXAMPLE),
            ],
            errors=[Kind.CONFLICT],
            finishes=True,
        )
        yield Route(
            method="DELETE",
            path="/v1/roles/{name}",
            handler=self.delete,
            summary="Delete a role",
            description="Not while a user has it or a role builds upon it; built-in ones never.",
            tag=TAG,
            service="auth",
            permission="roles:write",
            path_parameters=_NAME,
            replies=[Reply(204, "It is gone")],
            errors=[Kind.NOT_FOUND, Kind.CONFLICT],
            finishes=True,
        )

    def _assigning(self) -> Iterator[Route]:
        assigned = [Reply(200, "The user's roles", UserRoles, example=_ASSIGNED)]
        limits = (
            "Nobody grants or takes what one lacks: 403. The last administrator stays one: 409."
        )
        yield Route(
            method="GET",
            path="/v1/users/{id}/roles",
            handler=self.of_user,
            summary="Look at a user's roles",
            tag=TAG,
            service="auth",
            permission="roles:read",
            path_parameters=_USER,
            replies=assigned,
            errors=[Kind.NOT_FOUND],
        )
        yield Route(
            method="PUT",
            path="/v1/users/{id}/roles",
            handler=self.set,
            summary="Set a user's roles",
            description=f"{limits} {_OWN}",
            tag=TAG,
            service="auth",
            permission="roles:assign",
            path_parameters=_USER,
            body=Body(AssignmentBody, examples={"operator": {"roles": ["operator"]}}),
            replies=assigned,
            errors=[Kind.NOT_FOUND, Kind.CONFLICT],
            finishes=True,
        )
        for method, handler, summary in (
            ("PUT", self.grant, "Grant a user a role"),
            ("DELETE", self.take, "Take a role from a user"),
        ):
            yield Route(
                method=method,
                path="/v1/users/{id}/roles/{role}",
                handler=handler,
                summary=summary,
                description=f"{limits} {_OWN}",
                tag=TAG,
                service="auth",
                permission="roles:assign",
                path_parameters=_USER_AND_ROLE,
                replies=assigned,
                errors=[Kind.INVALID, Kind.NOT_FOUND, Kind.CONFLICT],
                finishes=True,
            )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/roles"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.roles.roles(request.caller, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/roles/{name}"""
        return answer(await self.roles.role(request.caller, request.arguments["name"]))

    async def create(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/roles"""
        body = request.read(NewRoleBody)
        wanted = NewRole(body.name, body.description, body.permissions, body.parents)
        role, _ = await self.roles.put_role(request.caller, wanted, create=True)
        return answer(role, 201)

    async def put(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/roles/{name}"""
        body, name = request.read(RoleBody), request.arguments["name"]
        wanted = NewRole(name, body.description, body.permissions, body.parents)
        role, created = await self.roles.put_role(request.caller, wanted, create=False)
        return answer(role, 201 if created else 200)

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/roles/{name}"""
        await self.roles.delete_role(request.caller, request.arguments["name"])
        return nothing()

    async def of_user(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/{id}/roles"""
        return answer(await self.roles.user_roles(request.caller, request.arguments["id"]))

    async def set(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/users/{id}/roles"""
        body, user = request.read(AssignmentBody), request.arguments["id"]
        return answer(await self.roles.set_roles(request.caller, user, body.roles))

    async def grant(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/users/{id}/roles/{role}"""
        user, role = request.arguments["id"], request.arguments["role"]
        return answer(await self.roles.grant_role(request.caller, user, role))

    async def take(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/{id}/roles/{role}"""
        user, role = request.arguments["id"], request.arguments["role"]
        return answer(await self.roles.take_role(request.caller, user, role))
