"""The gRPC methods of workers, and of people who look after them: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from grpc import aio

from chassis.audit import Audit
from chassis.clock import Clock
from chassis.errors import PermissionDenied, ServiceError
from chassis.lifecycle import Supervisor
from chassis.rpc.context import current_call
from chassis.rpc.guards import Guard
from chassis.rpc.server import RpcServer
from protos.worker.v1 import worker_pb2 as pb
from protos.worker.v1.worker_pb2_grpc import (
    FunctionServiceServicer,
    WorkerServiceServicer,
    add_FunctionServiceServicer_to_server,
    add_WorkerServiceServicer_to_server,
)
from workflow_service.application.functions.directory import Directory, FunctionShown
from workflow_service.application.functions.dispatch import Dispatcher, WorkerGone
from workflow_service.application.functions.links import Give, Leave, Link, TakeBack
from workflow_service.application.functions.tokens import (
    CONNECT,
    SERVE_ALL,
    Tokens,
    WorkerPrincipal,
)
from workflow_service.application.ports import Page
from workflow_service.application.queries.paging import page_limit
from workflow_service.entrypoints import worker_messages as messages
from workflow_service.entrypoints.worker_reading import Reader

WORKERS: Final = "autoworker.worker.v1.WorkerService"
_FUNCTIONS: Final = "/autoworker.worker.v1.FunctionService"

GUARDS: Mapping[str, Guard] = {
    f"/{WORKERS}/Connect": CONNECT,
    f"{_FUNCTIONS}/ListFunctions": "functions:read",
    f"{_FUNCTIONS}/IssueWorkerToken": CONNECT,
}

ListFunctions = Callable[
    [str, str | None, int, str | None], Coroutine[Any, Any, Page[FunctionShown]]
]


@dataclass(frozen=True, slots=True)
class Serving:
    """What the methods need."""

    directory: Directory
    dispatcher: Dispatcher
    tokens: Tokens
    clock: Clock
    supervisor: Supervisor
    heartbeat_timeout: float
    """Seconds of silence after which a worker is taken for dead."""
    list_functions: ListFunctions
    address: Callable[[], str]
    """Where workers find this service, host:port."""
    audit: Audit


class WorkerApi(WorkerServiceServicer):
    """Serves workers."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def Connect(
        self,
        request_iterator: AsyncIterator[pb.ConnectRequest],
        context: aio.ServicerContext[pb.ConnectRequest, pb.ConnectResponse],
    ) -> AsyncIterator[pb.ConnectResponse]:
        """A worker's whole life."""
        serving, principal = self._serving, current_call().principal
        if not isinstance(principal, WorkerPrincipal):
            raise PermissionDenied("a worker token is needed")
        hello = await messages.hello_of(request_iterator, serving.heartbeat_timeout)
        link = await serving.directory.declare(
            hello,
            tenant=principal.tenant,
            principal=principal.id,
            everybody=principal.everybody,
        )
        serving.dispatcher.connect(link)
        reader = Reader(link, request_iterator, principal, serving)
        reading = serving.supervisor.spawn("worker-reader", reader.run())
        try:
            milliseconds = round(serving.heartbeat_timeout * 1000)
            yield pb.ConnectResponse(welcome=pb.Welcome(heartbeat_timeout_ms=milliseconds))
            async for response in _orders(link):
                yield response
        finally:
            reading.cancel()
            serving.dispatcher.lost(link, "its connection has ended")
            with suppress(ServiceError):
                await serving.directory.seen(link, hello.functions)


async def _orders(link: Link) -> AsyncIterator[pb.ConnectResponse]:
    while True:
        match await link.orders.get():
            case Give() as order:
                yield pb.ConnectResponse(task=messages.task_message(order))
            case TakeBack(task_id):
                yield pb.ConnectResponse(cancel=pb.Cancel(task_id=task_id))
            case Leave(""):
                return
            case Leave(reason):
                raise WorkerGone(reason)


class FunctionApi(FunctionServiceServicer):
    """Serves people, whose identity comes from the token alone."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def ListFunctions(
        self,
        request: pb.ListFunctionsRequest,
        context: aio.ServicerContext[pb.ListFunctionsRequest, pb.ListFunctionsResponse],
    ) -> pb.ListFunctionsResponse:
        """A page of functions: those that serve the caller's executions, or all for who may see all."""
        principal = current_call().principal
        owner = None if principal.may(SERVE_ALL) else principal.id
        page = await self._serving.list_functions(
            principal.tenant, owner, page_limit(request.limit or None), request.cursor or None
        )
        return pb.ListFunctionsResponse(
            functions=[messages.function_message(each) for each in page.items],
            next_cursor=page.next_cursor or "",
        )

    async def IssueWorkerToken(
        self,
        request: pb.IssueWorkerTokenRequest,
        context: aio.ServicerContext[pb.IssueWorkerTokenRequest, pb.IssueWorkerTokenResponse],
    ) -> pb.IssueWorkerTokenResponse:
        """A token for workers of the caller."""
        principal = current_call().principal
        if principal.kind != "user":
            raise PermissionDenied("workers act for users")
        token, life = self._serving.tokens.issue(principal)
        self._serving.audit.record(
            "worker_token_issued", tenant=principal.tenant, actor=principal.id, seconds=life
        )
        return pb.IssueWorkerTokenResponse(
            token=token, expires_in_seconds=life, address=self._serving.address()
        )


def serve_functions(server: RpcServer, serving: Serving) -> None:
    """Have *server* offer both services."""
    server.add(add_WorkerServiceServicer_to_server, WorkerApi(serving))
    server.add(add_FunctionServiceServicer_to_server, FunctionApi(serving))
