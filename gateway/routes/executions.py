"""Starting workflows, and seeing them run."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from chassis.errors import Kind
from gateway.ports import (
    Execution,
    ExecutionFilter,
    Explanation,
    Page,
    StartRequest,
    WorkflowReference,
    Workflows,
)
from gateway.routes.bodies import given
from gateway.routes.paging import PAGING
from gateway.routes.problems import one_problem
from gateway.routes.queries import Query
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer

TAG: Final = "Executions"
MAX_WAIT: Final = 60.0
MAX_KEY: Final = 255
STATUSES: Final = (
    "pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed",
)  # fmt: skip
ENDED: Final = frozenset({"cancelled", "faulted", "completed"})
CALL_TIMEOUT: Final = 30.0
_Name = Annotated[str, Meta(min_length=1, max_length=512)]
_Tag = Annotated[str, Meta(max_length=256)]
Tags = dict[_Tag, _Tag] | list[_Tag]
ENVIRONMENT: Final = "environment"
"""The tag of executions that were started with an API key for tests."""
EXECUTION_ID: Final = {"id": "The execution's id"}


class WorkflowChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """Which workflow; no version means the newest."""

    namespace: _Name
    name: _Name
    version: Annotated[str, Meta(max_length=512)] | None = None


class StartBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What to run, on what, when, and how urgently."""

    workflow: WorkflowChoice
    input: Raw | UnsetType = UNSET
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    run_at: Annotated[datetime, Meta(tz=True)] | None = None
    tags: Tags | None = None


_START_EXAMPLE: Final = {
    "workflow": {"namespace": "examples", "name": "greet"},
    "input": {"name": "Ada"},
    "tags": {"team": "blue"},
}
_START_PARAMETERS: Final = (
    Parameter(
        "wait",
        "Seconds to wait for the end before answering; 200 when it has ended by then",
        {"type": "number", "minimum": 0, "maximum": MAX_WAIT},
    ),
    Parameter(
        "Idempotency-Key",
        "The same key within 24 hours starts only once and gets the same execution",
        {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
        place="header",
    ),
)
_TIMES: Final = (
    Parameter("from", "Not before this moment", {"type": "string", "format": "date-time"}),
    Parameter("to", "Before this moment", {"type": "string", "format": "date-time"}),
)
_FILTERS: Final = (
    Parameter(
        "status",
        "Any of these phases; repeat it or separate with commas",
        {"type": "array", "items": {"enum": list(STATUSES)}},
    ),
    *(
        Parameter(name, f"Only of this {name}", {"type": "string"})
        for name in ("namespace", "name", "version", "tag")
    ),
    Parameter(
        "parent", "Only those that tasks of the execution with this id run", {"type": "string"}
    ),
    *_TIMES,
)


@dataclass(frozen=True, slots=True)
class ExecutionRoutes:
    """Everything under /v1/executions, but for the history and the verbs."""

    workflows: Workflows

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="POST",
            path="/v1/executions",
            handler=self.start,
            summary="Start a workflow",
            description="Once this is answered the execution is on disk and will end.",
            tag=TAG,
            permission="executions:write",
            finishes=True,
            parameters=_START_PARAMETERS,
            body=Body(StartBody, examples={"greet": _START_EXAMPLE}),
            replies=[
                Reply(202, "Accepted", Execution, headers={"Location": "The execution"}),
                Reply(200, "Ended while waiting", Execution, headers={"Location": "The execution"}),
            ],
            errors=[Kind.NOT_FOUND, Kind.CONFLICT],
        )
        yield Route(
            method="GET",
            path="/v1/executions",
            handler=self.list,
            summary="List executions, newest first",
            tag=TAG,
            permission="executions:read",
            parameters=[*_FILTERS, *PAGING],
            replies=[Reply(200, "A page of executions", Page[Execution])],
        )
        yield Route(
            method="GET",
            path="/v1/executions/{id}",
            handler=self.get,
            summary="See an execution",
            tag=TAG,
            permission="executions:read",
            path_parameters=EXECUTION_ID,
            replies=[Reply(200, "The execution", Execution)],
            errors=[Kind.NOT_FOUND],
        )
        yield Route(
            method="GET",
            path="/v1/executions/{id}/explain",
            handler=self.explain,
            summary="Why it is not moving",
            tag=TAG,
            permission="executions:read",
            path_parameters=EXECUTION_ID,
            replies=[Reply(200, "What it waits for, and what ends the waiting", Explanation)],
            errors=[Kind.NOT_FOUND],
        )

    async def start(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/executions"""
        query = request.query()
        wait = query.seconds("wait", MAX_WAIT)
        query.check()
        key = _idempotency_key(request)
        body = request.read(StartBody)
        execution = await self.workflows.start(
            request.caller,
            _start_request(body, _tags(request, body), key, wait),
            CALL_TIMEOUT + wait,
        )
        ended = wait > 0 and execution.status in ENDED
        place = {"Location": f"/v1/executions/{execution.id}"}
        return answer(execution, 200 if ended else 202, place)

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/executions"""
        query = request.query()
        wanted, page = _filter(query), query.page()
        query.check()
        return answer(await self.workflows.executions(request.caller, wanted, page))

    async def get(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/executions/{id}"""
        return answer(await self.workflows.execution(request.caller, request.arguments["id"]))

    async def explain(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/executions/{id}/explain"""
        return answer(await self.workflows.explain(request.caller, request.arguments["id"]))


def _start_request(body: StartBody, tags: Tags | None, key: str, wait: float) -> StartRequest:
    chosen = body.workflow
    return StartRequest(
        WorkflowReference(chosen.namespace, chosen.name, chosen.version or ""),
        given(body.input),
        body.priority,
        body.run_at,
        b"" if tags is None else msgspec.json.encode(tags),
        key,
        wait,
    )


def _tags(request: Incoming, body: StartBody) -> Tags | None:
    """What the caller wants, and what cannot be taken away from an API key for tests."""
    if request.caller.principal.environment != "test":
        return body.tags
    if isinstance(body.tags, list):
        return [*body.tags, f"{ENVIRONMENT}=test"]
    return {**(body.tags or {}), ENVIRONMENT: "test"}


def _filter(query: Query) -> ExecutionFilter:
    return ExecutionFilter(
        statuses=query.choices("status", STATUSES),
        namespace=query.text("namespace"),
        name=query.text("name"),
        version=query.text("version"),
        tag=query.text("tag"),
        parent=query.text("parent"),
        since=query.time("from"),
        until=query.time("to"),
    )


def _idempotency_key(request: Incoming) -> str:
    keys = request.headers.getall("Idempotency-Key", [])
    if not keys:
        return ""
    visible = keys[0].isascii() and keys[0].isprintable()
    if len(keys) > 1 or not visible or not 1 <= len(keys[0]) <= MAX_KEY:
        raise one_problem(
            "Idempotency-Key",
            f"must be given once and have 1 to {MAX_KEY} visible ASCII characters",
        )
    return keys[0]
