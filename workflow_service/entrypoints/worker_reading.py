"""What a connected worker says, until it says nothing any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from chassis.clock import Clock
from chassis.errors import Malformed, ServiceError
from protos.worker.v1 import worker_pb2 as pb
from workflow_service.application.functions.dispatch import Dispatcher
from workflow_service.application.functions.failures import problem_of
from workflow_service.application.functions.links import Link
from workflow_service.application.functions.tokens import Tokens, WorkerPrincipal
from workflow_service.domain.execution.problem import validation
from workflow_service.entrypoints import worker_messages as messages


class Surroundings(Protocol):
    """What reading needs."""

    @property
    def dispatcher(self) -> Dispatcher: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def heartbeat_timeout(self) -> float: ...


class Reader:
    """Reads one worker's stream; whatever ends it, the worker is lost and its tasks go to others."""

    def __init__(
        self,
        link: Link,
        requests: AsyncIterator[pb.ConnectRequest],
        principal: WorkerPrincipal,
        around: Surroundings,
    ) -> None:
        self._link = link
        self._requests = requests
        self._principal = principal
        self._around = around

    async def run(self) -> None:
        """Read to the end."""
        reason = "its connection broke"
        try:
            reason = await self._read()
        except TimeoutError:
            reason = "it was silent for too long"
        except ServiceError as exc:
            reason = exc.message
        finally:
            self._around.dispatcher.lost(self._link, reason)

    async def _read(self) -> str:
        while not self._link.gone:
            remaining = self._principal.expires - self._around.clock.now().timestamp()
            if remaining <= 0:
                return "its token has expired"
            async with asyncio.timeout(self._around.heartbeat_timeout):
                request = await anext(self._requests, None)
            if request is None:
                return "it has ended the stream"
            await self._take(request)
        return ""

    async def _take(self, request: pb.ConnectRequest) -> None:
        dispatcher, link = self._around.dispatcher, self._link
        match request.WhichOneof("message"):
            case "heartbeat":
                await self._renew(request.heartbeat.token)
            case "completed":
                self._completed(request.completed)
            case "failed":
                error = request.failed.error
                problem = problem_of(error.type, error.status, error.title, error.detail)
                dispatcher.failed(link, request.failed.task_id, problem)
            case "goodbye":
                dispatcher.drain(link)
            case _:
                raise Malformed("a message that means nothing here")

    def _completed(self, completed: pb.Completed) -> None:
        try:
            output = messages.output_of(completed)
        except Malformed as exc:
            problem = validation(f"the function's output: {exc.message}")
            self._around.dispatcher.failed(self._link, completed.task_id, problem)
        else:
            self._around.dispatcher.completed(self._link, completed.task_id, output)

    async def _renew(self, token: str) -> None:
        if not token:
            return
        fresh = await self._around.tokens.verify(token)
        same = (fresh.id, fresh.tenant, fresh.everybody) == (
            self._principal.id,
            self._principal.tenant,
            self._principal.everybody,
        )
        if not same:
            raise Malformed("the new token is for somebody else")
        self._principal = fresh
