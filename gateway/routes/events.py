"""Events from outside, for whatever waits for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from msgspec import Struct

from gateway.ports import IncomingEvent, Workflows
from gateway.routes import cloud_events
from gateway.routes.cloud_events import BATCH, STRUCTURED
from gateway.routes.problems import JSON
from gateway.routes.route import Body, Incoming, Reply, Route, answer

_EXAMPLE: Final = {
    "specversion": "1.0",
    "id": "b7c1",
    "source": "/shop",
    "type": "com.example.order.paid.v1",
    "data": {"order": 42},
}


class Accepted(Struct, frozen=True):
    """How many events are safe now; ones that were seen before are not counted again."""

    accepted: int


@dataclass(frozen=True, slots=True)
class EventRoutes:
    """POST /v1/events."""

    workflows: Workflows

    def routes(self) -> Iterator[Route]:
        """The route, with what it needs."""
        yield Route(
            method="POST",
            path="/v1/events",
            handler=self.publish,
            summary="Send CloudEvents",
            description="Structured or batched JSON; or binary: any media type, with the "
            "attributes in `ce-…` headers.",
            tag="Events",
            permission="events:write",
            finishes=True,
            body=Body(
                dict[str, Any],
                (STRUCTURED, BATCH, JSON, "*/*"),
                required=False,
                examples={"paid": _EXAMPLE},
                description="A CloudEvent 1.0, a list of them, or the data of one",
            ),
            replies=[Reply(202, "Accepted", Accepted)],
        )

    async def publish(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/events"""
        accepted = await self.workflows.publish_events(request.caller, _events(request))
        return answer(Accepted(accepted), 202)


def _events(request: Incoming) -> Sequence[IncomingEvent]:
    if request.media_type == BATCH:
        return cloud_events.batch(request.body)
    if request.media_type == STRUCTURED or "ce-specversion" not in request.headers:
        return [cloud_events.structured(request.body)]
    return [cloud_events.binary(request.headers, request.body)]
