"""What happened to an execution: in pages, and as it happens."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

from chassis.errors import Kind
from gateway.ports import Caller, HistoryEvent, Page, Workflows
from gateway.routes import sse
from gateway.routes.executions import TAG
from gateway.routes.paging import PAGING
from gateway.routes.route import Incoming, Parameter, Reply, Route, answer

_EXECUTION_ID: Final = {"id": "The execution's id"}
_ENCODER: Final = msgspec.json.Encoder()
RESUME: Final = (
    Parameter(
        "Last-Event-ID",
        "Go on after the event with this id",
        {"type": "integer", "minimum": 0},
        place="header",
    ),
    Parameter(
        "last_event_id",
        "The same, for clients that cannot set headers",
        {"type": "integer", "minimum": 0},
    ),
)


@dataclass(frozen=True, slots=True)
class LiveRoutes:
    """History and events of an execution."""

    workflows: Workflows
    streams: sse.Streams

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="GET",
            path="/v1/executions/{id}/history",
            handler=self.history,
            summary="What has happened, oldest first",
            tag=TAG,
            permission="executions:read",
            path_parameters=_EXECUTION_ID,
            parameters=[
                Parameter("from", "Not before this moment", _MOMENT),
                Parameter("to", "Before this moment", _MOMENT),
                *PAGING,
            ],
            replies=[Reply(200, "A page of events", Page[HistoryEvent])],
            errors=[Kind.NOT_FOUND],
        )
        yield Route(
            method="GET",
            path="/v1/executions/{id}/events",
            handler=self.events,
            summary="The same events, live",
            description="Ends when the execution has ended. `id` is the event's sequence, `event` "
            "its type, `data` the event as the history has it.",
            tag=TAG,
            permission="executions:read",
            path_parameters=_EXECUTION_ID,
            parameters=RESUME,
            replies=[Reply(200, "Server-sent events", HistoryEvent, media_type=sse.MEDIA_TYPE)],
            errors=[Kind.NOT_FOUND],
        )

    async def history(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/executions/{id}/history"""
        query = request.query()
        since, until, page = query.time("from"), query.time("to"), query.page()
        query.check()
        execution = request.arguments["id"]
        return answer(await self.workflows.history(request.caller, execution, since, until, page))

    async def events(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/executions/{id}/events"""
        after = sse.last_event_id(request) or 0
        execution = request.arguments["id"]
        # Asked first, so that a foreign or unknown one is a 404 and not a broken stream.
        await self.workflows.execution(request.caller, execution)
        return await self.streams.send(request, self._chunks(request.caller, execution, after))

    async def _chunks(
        self, caller: Caller, execution: str, after: int
    ) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.workflows.watch(caller, execution, after)) as batches:
            async for events in batches:
                yield b"".join(
                    sse.event(event.sequence, event.type, _ENCODER.encode(event))
                    for event in events
                )


_MOMENT: Final = {"type": "string", "format": "date-time"}
