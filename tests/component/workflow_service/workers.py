"""Workers played by hand, message by message, over a real stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import msgspec

from protos.worker.v1 import worker_pb2 as pb
from protos.worker.v1.worker_pb2_grpc import FunctionServiceStub, WorkerServiceStub
from tests.component.workflow_service.world import USER, User, World

DEADLINE = 40.0
PERMISSIONS = (*USER, "functions:read", "workers:connect")
RESIZE = """
document: {dsl: 1.0.3, namespace: test, name: resize, version: 1.0.0}
do:
  - shrink:
      call: resize:1.0.0
      with: {width: "${ .width }"}
"""


def somebody(world: World, name: str = "ada", *more: str, tenant: str = "default") -> User:
    """Somebody who may connect workers, and whatever *more* names."""
    return world.user(name, tenant=tenant, permissions=(*PERMISSIONS, *more))


async def token_of(user: User) -> str:
    """A worker token."""
    method = FunctionServiceStub(user.client.channel).IssueWorkerToken
    answer = await user.client.call(method, pb.IssueWorkerTokenRequest(), token=user.token)
    return answer.token


async def functions_of(user: User, **wanted: Any) -> pb.ListFunctionsResponse:
    """A page of functions."""
    method = FunctionServiceStub(user.client.channel).ListFunctions
    return await user.client.call(method, pb.ListFunctionsRequest(**wanted), token=user.token)


@dataclass
class Played:
    """One connected worker."""

    call: Any
    outgoing: asyncio.Queue[pb.ConnectRequest | None] = field(default_factory=asyncio.Queue)

    async def read(self) -> pb.ConnectResponse | None:
        """What the server says next; None when it has ended the stream."""
        async with asyncio.timeout(DEADLINE):
            answer = await self.call.read()
        return None if answer is grpc.aio.EOF else answer

    async def task(self) -> pb.Task:
        """The task that the server gives next."""
        answer = await self.read()
        assert answer is not None
        assert answer.WhichOneof("message") == "task", answer
        return answer.task

    def beat(self, token: str = "") -> None:
        """Be alive."""
        self.say(heartbeat=pb.Heartbeat(token=token))

    def complete(self, task: pb.Task, output: Any = None) -> None:
        """Answer a task."""
        self.say(completed=pb.Completed(task_id=task.id, output=msgspec.json.encode(output)))

    def fail(self, task: pb.Task, **error: Any) -> None:
        """Fail a task."""
        self.say(failed=pb.Failed(task_id=task.id, error=pb.FunctionError(**error)))

    def say(self, **message: Any) -> None:
        """Say anything."""
        self.outgoing.put_nowait(pb.ConnectRequest(**message))

    def leave(self) -> None:
        """Break the connection."""
        self.call.cancel()

    async def requests(self) -> AsyncIterator[pb.ConnectRequest]:
        """What is said."""
        while (message := await self.outgoing.get()) is not None:
            yield message


@asynccontextmanager
async def connected(
    world: World,
    user: User,
    worker: str = "w1",
    *,
    function: str = "resize",
    version: str = "1.0.0",
    concurrency: int = 10,
    token: str | None = None,
    **schemas: Any,
) -> AsyncIterator[Played]:
    """A worker that has been welcomed."""
    token = await token_of(user) if token is None else token
    declared = pb.DeclaredFunction(
        name=function,
        version=version,
        **{name: msgspec.json.encode(schema) for name, schema in schemas.items()},
    )
    async with grpc.aio.insecure_channel(world.service.rpc_address) as channel:
        played = Played(None)
        metadata = (("authorization", f"Bearer {token}"),)
        played.call = WorkerServiceStub(channel).Connect(played.requests(), metadata=metadata)
        hello = pb.Hello(worker_id=worker, functions=[declared], concurrency=concurrency)
        played.say(hello=hello)
        welcome = await played.read()
        assert welcome is not None
        assert welcome.WhichOneof("message") == "welcome"
        try:
            yield played
        finally:
            played.outgoing.put_nowait(None)
            played.call.cancel()
