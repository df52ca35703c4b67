"""Functions of one's own, and tokens for the workers that serve them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.ports import Function, Functions, Page, WorkerToken
from gateway.routes.paging import PAGING
from gateway.routes.route import Incoming, Reply, Route, answer

TAG: Final = "Functions"


@dataclass(frozen=True, slots=True)
class FunctionRoutes:
    """Everything under /v1/functions."""

    functions: Functions

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="GET",
            path="/v1/functions",
            handler=self.list,
            summary="List functions",
            description="What `call: name` reaches besides a workflow's own functions: those of "
            "the operator, and those that workers serve or have served.",
            tag=TAG,
            permission="functions:read",
            parameters=PAGING,
            replies=[Reply(200, "A page of functions", Page[Function])],
        )
        yield Route(
            method="POST",
            path="/v1/functions/tokens",
            handler=self.token,
            summary="Get a token for workers",
            description="It is good for some minutes, and for nothing but connecting workers to "
            "the gRPC address that comes with it. Workers of users serve their own executions; "
            "workers of administrators serve everybody's.",
            tag=TAG,
            permission="workers:connect",
            replies=[Reply(201, "The token", WorkerToken)],
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/functions"""
        query = request.query()
        page = query.page()
        query.check()
        return answer(await self.functions.functions(request.caller, page))

    async def token(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/functions/tokens"""
        return answer(await self.functions.worker_token(request.caller), 201)
