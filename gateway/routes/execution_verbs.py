"""Taking hold of executions: cancel, suspend, resume and retry."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chassis.errors import Kind
from gateway.ports import Execution, Verb, Workflows
from gateway.routes.bodies import given
from gateway.routes.executions import EXECUTION_ID, TAG
from gateway.routes.route import Body, Handler, Incoming, Reply, Route, answer

_Reason = Annotated[str, Meta(max_length=2048)]
_SENTENCES: Final[dict[Verb, str]] = {
    "cancel": "Stop it for good",
    "suspend": "Let it rest until it is resumed",
    "resume": "Go on after a rest",
}


class ReasonBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why; kept in the history."""

    reason: _Reason = ""


class RetryBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to take up again, and on what; nothing means as it was."""

    reason: _Reason = ""
    from_: Annotated[str, Meta(max_length=4096)] | None = msgspec.field(name="from", default=None)
    input: Raw | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class ExecutionVerbRoutes:
    """What changes the course of an execution."""

    workflows: Workflows

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        for name, sentence in _SENTENCES.items():
            body = Body(ReasonBody, required=False, examples={"why": {"reason": "a mistake"}})
            yield _verb(name, sentence, partial(self.command, name), body)
        again = Body(RetryBody, required=False, examples={"task": {"from": "/do/0/charge"}})
        yield _verb("retry", "Take a faulted execution up again", self.retry, again)

    async def command(self, verb: Verb, request: Incoming) -> web.StreamResponse:
        """POST /v1/executions/{id}/cancel, /suspend and /resume"""
        reason = request.read(ReasonBody).reason
        execution = request.arguments["id"]
        return answer(await self.workflows.command(request.caller, verb, execution, reason), 202)

    async def retry(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/executions/{id}/retry"""
        body = request.read(RetryBody)
        execution = await self.workflows.retry(
            request.caller,
            request.arguments["id"],
            body.reason,
            body.from_ or "",
            given(body.input),
        )
        return answer(execution, 202)


def _verb(name: str, summary: str, handler: Handler, body: Body) -> Route:
    return Route(
        method="POST",
        path=f"/v1/executions/{{id}}/{name}",
        handler=handler,
        summary=summary,
        tag=TAG,
        permission="executions:write",
        finishes=True,
        path_parameters=EXECUTION_ID,
        body=body,
        replies=[Reply(202, "The execution, as it is now", Execution)],
        errors=[Kind.NOT_FOUND, Kind.CONFLICT],
    )
