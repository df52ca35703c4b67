"""When workflows start by themselves: looking at schedules, and taking hold of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Execution, Page, Schedule, Schedules, ScheduleWithRuns, Switch
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Reply, Route, answer

TAG: Final = "Schedules"
_ID: Final = {"id": "Namespace and name of the workflow, with a point between them"}
_SWITCHES: Final[tuple[tuple[Switch, str, str], ...]] = (
    ("pause", "Halt a schedule", "Nothing is started until it is resumed; what runs goes on."),
    ("resume", "Let a halted schedule go on", "Ticks of the pause are not made up for."),
)
_EXAMPLE: Final = {
    "id": "shop.nightly-report",
    "workflow": {"namespace": "shop", "name": "nightly-report", "version": "1.2.0"},
    "owner": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
    "kind": "cron",
    "seconds": None,
    "cron": "30 2 * * *",
    "timezone": "Europe/Berlin",
    "on": None,
    "read": None,
    "missed_policy": "one",
    "overlap_policy": "allow",
    "since": "2026-01-10T09:12:44Z",
    "paused": None,
    "next_runs": ["2026-01-16T01:30:00Z", "2026-01-17T01:30:00Z"],
    "last_run": {
        "at": "2026-01-15T01:30:00Z",
        "execution_id": "3b1f7a9d-6f1b-8a20-9d2e-0199c5e89d10",
    },
    "started": 5,
    "missed": 0,
}


class PauseBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why; shown with the schedule."""

    reason: Annotated[str, Meta(max_length=2048)] = ""


@dataclass(frozen=True, slots=True)
class ScheduleRoutes:
    """Everything under /v1/schedules."""

    schedules: Schedules

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="GET",
            path="/v1/schedules",
            handler=self.list,
            summary="List schedules",
            description="One for each workflow whose newest version has a `schedule`, with its next runs.",
            tag=TAG,
            permission="schedules:read",
            parameters=PAGING,
            replies=[Reply(200, "A page of schedules", Page[Schedule])],
        )
        yield Route(
            method="GET",
            path="/v1/schedules/{id}",
            handler=self.get,
            summary="See a schedule, with its next and its last runs",
            tag=TAG,
            permission="schedules:read",
            path_parameters=_ID,
            replies=[
                Reply(200, "The schedule", ScheduleWithRuns, example=_EXAMPLE | {"last_runs": []})
            ],
            errors=[Kind.NOT_FOUND],
        )
        yield from self._verb_routes()

    def _verb_routes(self) -> Iterator[Route]:
        for name, summary, text in _SWITCHES:
            yield Route(
                method="POST",
                path=f"/v1/schedules/{{id}}/{name}",
                handler=partial(self.switch, name),
                summary=summary,
                description=text,
                tag=TAG,
                permission="schedules:write",
                finishes=True,
                path_parameters=_ID,
                body=Body(PauseBody, required=False, examples={"why": {"reason": "stocktaking"}}),
                replies=[Reply(200, "The schedule, as it is now", Schedule, example=_EXAMPLE)],
                errors=[Kind.NOT_FOUND, Kind.CONFLICT],
            )
        yield Route(
            method="POST",
            path="/v1/schedules/{id}/trigger",
            handler=self.trigger,
            summary="Start an execution now",
            description="Beside the ticks, as the workflow's publisher; also while it is halted.",
            tag=TAG,
            permission="schedules:write",
            finishes=True,
            path_parameters=_ID,
            replies=[
                Reply(202, "Accepted", Execution, headers={"Location": "The execution"}),
            ],
            errors=[Kind.NOT_FOUND],
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/schedules"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.schedules.schedules(request.caller, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/schedules/{id}"""
        return answer(await self.schedules.schedule(request.caller, request.arguments["id"]))

    async def switch(self, verb: Switch, request: Incoming) -> web.StreamResponse:
        """POST /v1/schedules/{id}/pause and /resume"""
        reason = request.read(PauseBody).reason
        schedule = request.arguments["id"]
        switched = await self.schedules.switch_schedule(request.caller, verb, schedule, reason)
        return answer(switched)

    async def trigger(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/schedules/{id}/trigger"""
        begun = await self.schedules.trigger_schedule(request.caller, request.arguments["id"])
        return answer(begun, 202, {"Location": f"/v1/executions/{begun.id}"})
