"""What was given up, for administrators to look at, offer again, or discard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Page
from gateway.ports.dead_letters import (
    DeadLetter,
    DeadLetterFilter,
    DeadLetters,
    DeadLetterWithPayload,
    Redriven,
)
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer, nothing

TAG: Final = "Dead letters"
MOST: Final = 500
KINDS: Final = ("event", "delivery")
_ID: Final = {"id": "The dead letter's id"}
_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Text = Annotated[str, Meta(max_length=512)]
_Time = Annotated[datetime, Meta(tz=True)]
_EXAMPLE: Final = {
    "id": "6f1b7a209d2e3c1f5b7a9d100199c5e8",
    "kind": "event",
    "service": "notification",
    "subscription": "notification-endings",
    "type": "io.autoworker.workflow.execution-ended.v1",
    "about": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10/7/ended",
    "reason": "The event does not say what its type promises.",
    "redrivable": True,
    "times": 1,
    "first_at": "2026-01-15T10:30:00Z",
    "last_at": "2026-01-15T10:30:00Z",
}
_FILTERS: Final = (
    Parameter("kind", "Only of this kind", {"enum": list(KINDS)}),
    Parameter("service", "Only those that this service could not do", {"type": "string"}),
    Parameter("type", "Only of this type", {"type": "string"}),
    Parameter("from", "Given up not before this moment", {"type": "string", "format": "date-time"}),
    Parameter("to", "Given up before this moment", {"type": "string", "format": "date-time"}),
)


class RedriveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Which ones: by id, or all that the other members let through; a dry run only says which."""

    ids: Annotated[list[_Id], Meta(max_length=MOST)] = []
    kind: Literal["event", "delivery"] | None = None
    service: _Text = ""
    type: _Text = ""
    from_: _Time | None = msgspec.field(name="from", default=None)
    to: _Time | None = None
    limit: Annotated[int, Meta(ge=1, le=MOST)] = 100
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class DeadLetterRoutes:
    """Everything under /v1/dead-letters."""

    letters: DeadLetters

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="GET",
            path="/v1/dead-letters",
            handler=self.list,
            summary="List what was given up",
            description="Events that a service could not take in, and deliveries that never "
            "arrived: the newest first, without what they hold.",
            tag=TAG,
            permission="dead-letters:read",
            service="notification",
            parameters=[*_FILTERS, *PAGING],
            replies=[Reply(200, "A page of dead letters", Page[DeadLetter])],
        )
        yield Route(
            method="GET",
            path="/v1/dead-letters/{id}",
            handler=self.get,
            summary="Look at a dead letter",
            description="With what it holds; secrets and addresses are masked.",
            tag=TAG,
            permission="dead-letters:read",
            service="notification",
            path_parameters=_ID,
            replies=[
                Reply(
                    200,
                    "The dead letter",
                    DeadLetterWithPayload,
                    example={**_EXAMPLE, "payload": {"execution_id": "0199c5e8-6f1b"}},
                )
            ],
            errors=[Kind.NOT_FOUND],
        )
        yield self._redrive()
        yield Route(
            method="DELETE",
            path="/v1/dead-letters/{id}",
            handler=self.discard,
            summary="Discard a dead letter",
            description="It is forgotten; the audit log keeps who did it.",
            tag=TAG,
            permission="dead-letters:write",
            service="notification",
            path_parameters=_ID,
            replies=[Reply(204, "It is gone")],
            errors=[Kind.NOT_FOUND],
            finishes=True,
        )

    def _redrive(self) -> Route:
        return Route(
            method="POST",
            path="/v1/dead-letters/redrive",
            handler=self.redrive,
            summary="Offer dead letters again",
            description="One after the other, so many a second as the operator has set. Those that are safe "
            "with whoever is to have them are gone from the list; the others stay, each with its reason.",
            tag=TAG,
            permission="dead-letters:write",
            service="notification",
            body=Body(
                RedriveBody,
                examples={
                    "some": {"ids": [_EXAMPLE["id"]]},
                    "all of a service": {"service": "notification", "limit": 500, "dry_run": True},
                },
            ),
            replies=[
                Reply(
                    200,
                    "What became of them",
                    Redriven,
                    example={"redriven": [_EXAMPLE["id"]], "failed": []},
                )
            ],
            errors=[Kind.NOT_FOUND],
            finishes=True,
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/dead-letters"""
        query = request.query()
        kinds = query.choices("kind", KINDS)
        wanted = DeadLetterFilter(
            kind=kinds[0] if len(kinds) == 1 else "",
            service=query.text("service"),
            type=query.text("type"),
            since=query.time("from"),
            until=query.time("to"),
        )
        page = query.page()
        query.check()
        return answer(await self.letters.dead_letters(request.caller, wanted, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/dead-letters/{id}"""
        return answer(await self.letters.dead_letter(request.caller, request.arguments["id"]))

    async def redrive(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/dead-letters/redrive"""
        body = request.read(RedriveBody)
        wanted = DeadLetterFilter(body.kind or "", body.service, body.type, body.from_, body.to)
        redriven = await self.letters.redrive(
            request.caller, body.ids, wanted, limit=body.limit, dry_run=body.dry_run
        )
        return answer(redriven)

    async def discard(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/dead-letters/{id}"""
        await self.letters.discard(request.caller, request.arguments["id"])
        return nothing()
