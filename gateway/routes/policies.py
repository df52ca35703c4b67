"""Policies: what is refused although roles allow it, and why something is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chassis.errors import Kind
from gateway.ports import Explained, NewPolicy, Page, Policies, Policy, Question
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Reply, Route, answer, nothing

TAG: Final = "Policies"
_NAME: Final = {"name": "The policy's name"}
_Name = Annotated[str, Meta(max_length=64)]
_Description = Annotated[str, Meta(max_length=500)]
_Actions = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=50)]
_Condition = Annotated[str, Meta(max_length=1000)]
_Effect = Literal["deny", "require"]
_Mode = Literal["enforce", "dry_run"]
_NOTHING: Final = Raw(b"{}")
_BODY_EXAMPLE: Final = {
    "description": "Secrets are set from the office only",
    "effect": "require",
    "mode": "enforce",
    "actions": ["secrets:write"],
    "condition": "context.address.inNetwork('192.0.2.0/24')",
}
_EXAMPLE: Final = {
    "name": "office-only",
    **_BODY_EXAMPLE,
    "version": 3,
    "created_at": "2026-01-15T10:30:00Z",
    "created_by": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "deleted": False,
}
_EXPLAINED: Final = {
    "allowed": False,
    "decided_by": "policy:office-only",
    "reason": "its condition is false, and it is required",
    "role_path": ["user"],
    "policies": [
        {
            "name": "office-only",
            "version": 3,
            "effect": "require",
            "mode": "enforce",
            "condition": "false",
            "refuses": True,
            "reason": "its condition is false, and it is required",
            "missing": [],
        }
    ],
}
_IN_FORCE: Final = "It is in force everywhere within a second."


class PolicyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition in CEL upon requests for some permissions; `*` and `executions:*` are patterns."""

    effect: _Effect
    actions: _Actions
    condition: _Condition
    mode: _Mode = "enforce"
    description: _Description = ""


class NewPolicyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy and its name."""

    name: _Name
    effect: _Effect
    actions: _Actions
    condition: _Condition
    mode: _Mode = "enforce"
    description: _Description = ""


class RollBackBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The version to go back to."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class QuestionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """May `principal` (`{"id": …}`, or `{"roles": […]}` to suppose) do `action`?"""

    principal: Raw
    action: Annotated[str, Meta(max_length=100)]
    resource: Raw | UnsetType = UNSET
    context: Raw | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class PolicyRoutes:
    """Everything under /v1/policies."""

    policies: Policies

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield from self._reading()
        yield from self._writing()
        yield from self._more()

    def _reading(self) -> Iterator[Route]:
        yield Route(
            method="GET",
            path="/v1/policies",
            handler=self.list,
            summary="List policies",
            description="Those in force, by name.",
            tag=TAG,
            service="auth",
            permission="policies:read",
            parameters=PAGING,
            replies=[Reply(200, "A page of policies", Page[Policy])],
        )
        yield Route(
            method="GET",
            path="/v1/policies/{name}",
            handler=self.get,
            summary="Look at a policy",
            tag=TAG,
            service="auth",
            permission="policies:read",
            path_parameters=_NAME,
            replies=[Reply(200, "The policy in force", Policy, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND],
        )
        yield Route(
            method="GET",
            path="/v1/policies/{name}/versions",
            handler=self.versions,
            summary="List the versions of a policy",
            description="Newest first, its deletions among them.",
            tag=TAG,
            service="auth",
            permission="policies:read",
            path_parameters=_NAME,
            parameters=PAGING,
            replies=[Reply(200, "A page of versions", Page[Policy])],
            errors=[Kind.NOT_FOUND],
        )

    def _writing(self) -> Iterator[Route]:
        example = {"office-only": {"name": "office-only", **_BODY_EXAMPLE}}
        yield Route(
            method="POST",
            path="/v1/policies",
            handler=self.create,
            summary="Make a policy",
            description=_IN_FORCE,
            tag=TAG,
            service="auth",
            permission="policies:write",
            body=Body(NewPolicyBody, examples=example),
            replies=[Reply(201, "It is there", Policy, example=_EXAMPLE)],
            errors=[Kind.CONFLICT],
            finishes=True,
        )
        yield Route(
            method="PUT",
            path="/v1/policies/{name}",
            handler=self.put,
            summary="Make or change a policy",
            description=f"Every change is a version of its own; no change is none. {_IN_FORCE}",
            tag=TAG,
            service="auth",
            permission="policies:write",
            path_parameters=_NAME,
            body=Body(PolicyBody, examples={"office-only": _BODY_EXAMPLE}),
            replies=[Reply(200, "It is as you said", Policy, example=_EXAMPLE)],
            errors=[Kind.CONFLICT],
            finishes=True,
        )
        yield Route(
            method="DELETE",
            path="/v1/policies/{name}",
            handler=self.delete,
            summary="Delete a policy",
            description="It refuses nothing any more. Its versions stay, and can be gone back to.",
            tag=TAG,
            service="auth",
            permission="policies:write",
            path_parameters=_NAME,
            replies=[Reply(204, "It is gone")],
            errors=[Kind.NOT_FOUND],
            finishes=True,
        )

    def _more(self) -> Iterator[Route]:
        yield Route(
            method="POST",
            path="/v1/policies/{name}/rollback",
            handler=self.roll_back,
            summary="Go back to a version of a policy",
            description=f"What it said then is its newest version. {_IN_FORCE}",
            tag=TAG,
            service="auth",
            permission="policies:write",
            path_parameters=_NAME,
            body=Body(RollBackBody, examples={"first": {"version": 1}}),
            replies=[Reply(200, "It is as it was", Policy, example=_EXAMPLE)],
            errors=[Kind.NOT_FOUND, Kind.CONFLICT],
            finishes=True,
        )
        question = {"principal": {"roles": ["user"]}, "action": "secrets:write"}
        elsewhere = question | {"context": {"address": "198.51.100.7"}}
        yield Route(
            method="POST",
            path="/v1/policies/explain",
            handler=self.explain,
            summary="Explain a decision",
            description="Names the role or the policy that decides, what every policy that concerns "
            "the action says, and which attributes it missed. Nothing is done.",
            tag=TAG,
            service="auth",
            permission="policies:read",
            body=Body(QuestionBody, examples={"supposed": question, "elsewhere": elsewhere}),
            replies=[Reply(200, "Whether, and why", Explained, example=_EXPLAINED)],
            errors=[Kind.NOT_FOUND],
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/policies"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.policies.policies(request.caller, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/policies/{name}"""
        return answer(await self.policies.policy(request.caller, request.arguments["name"]))

    async def versions(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/policies/{name}/versions"""
        query = request.query()
        page = query.page()
        query.check()
        name = request.arguments["name"]
        return answer(await self.policies.policy_versions(request.caller, name, page))

    async def create(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/policies"""
        body = request.read(NewPolicyBody)
        return answer(await self._put(request, body.name, body, create=True), 201)

    async def put(self, request: Incoming) -> web.StreamResponse:
        """PUT /v1/policies/{name}"""
        body = request.read(PolicyBody)
        return answer(await self._put(request, request.arguments["name"], body, create=False))

    async def delete(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/policies/{name}"""
        await self.policies.delete_policy(request.caller, request.arguments["name"])
        return nothing()

    async def roll_back(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/policies/{name}/rollback"""
        body, name = request.read(RollBackBody), request.arguments["name"]
        return answer(await self.policies.roll_back_policy(request.caller, name, body.version))

    async def explain(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/policies/explain"""
        body = request.read(QuestionBody)
        resource, context = _given(body.resource), _given(body.context)
        question = Question(body.action, body.principal, resource, context)
        return answer(await self.policies.explain(request.caller, question))

    async def _put(
        self, request: Incoming, name: str, body: PolicyBody | NewPolicyBody, *, create: bool
    ) -> Policy:
        wanted = NewPolicy(
            name, body.description, body.effect, body.mode, body.actions, body.condition
        )
        return await self.policies.put_policy(request.caller, wanted, create=create)


def _given(attributes: Raw | UnsetType) -> Raw:
    """Those that are left out are not supposed."""
    return _NOTHING if isinstance(attributes, UnsetType) else attributes
