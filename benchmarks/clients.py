"""Callers of the services: a generated stub, a token, nothing else."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self

import grpc
import msgspec

from benchmarks.skeletons import ECHO
from chassis.discovery.static import StaticRegistry
from chassis.errors import Conflict
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub
from protos.events.v1.events_pb2 import CloudEvent
from protos.workflow.v1 import workflow_pb2 as pb
from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub

EMAIL, PASSWORD = "bench@example.com", "Correct-Horse-9"
NAMESPACE, VERSION = "bench", "1.0.0"
PAYLOAD = msgspec.json.encode({"order": "o-1", "text": "x" * 170})
"""200 bytes, or about."""


def document(name: str, tasks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A workflow of *tasks*."""
    head = {"dsl": "1.0.3", "namespace": NAMESPACE, "name": name, "version": VERSION}
    return {"document": head, **more, "do": tasks}


class WorkflowClient:
    """Calls the workflow service as a user."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._stub = WorkflowServiceStub(channel)
        self._sent = 0
        self._metadata = (("authorization", f"Bearer {token}"),)

    async def publish(self, workflow: dict[str, Any]) -> None:
        """Register *workflow*."""
        await self._stub.PublishDefinition(
            pb.PublishDefinitionRequest(
                document=msgspec.json.encode(workflow), media_type="application/json"
            ),
            metadata=self._metadata,
        )

    async def start(self, name: str, wait: float = 0.0, data: bytes = PAYLOAD) -> pb.Execution:
        """Start an execution of the workflow called *name*."""
        response = await self._stub.StartExecution(
            pb.StartExecutionRequest(
                workflow=pb.WorkflowReference(namespace=NAMESPACE, name=name, version=VERSION),
                input=data,
                wait_ms=int(wait * 1000),
            ),
            metadata=self._metadata,
        )
        return response.execution

    async def run(self, name: str, data: bytes = PAYLOAD) -> None:
        """Run one to its end.

        Raises:
            RuntimeError: it did not complete.
        """
        execution = await self.start(name, wait=60.0, data=data)
        if execution.status != "completed":
            raise RuntimeError(f"{execution.id} is {execution.status}: {execution.error!r}")

    async def send(self, kind: str, data: Sequence[object]) -> None:
        """Publish an event of that type for each of *data*."""
        sent = []
        for each in data:
            self._sent += 1
            encoded = msgspec.json.encode(each)
            name = str(self._sent)
            sent.append(CloudEvent(id=name, source="/bench", type=kind, data=encoded))
        request = pb.PublishEventsRequest(events=sent)
        await self._stub.PublishEvents(request, metadata=self._metadata)

    async def get(self, execution: str) -> pb.Execution:
        """What an execution is."""
        request = pb.GetExecutionRequest(id=execution)
        return (await self._stub.GetExecution(request, metadata=self._metadata)).execution

    async def cancel(self, execution: str) -> None:
        """Cancel an execution."""
        request = pb.CancelExecutionRequest(id=execution)
        await self._stub.CancelExecution(request, metadata=self._metadata)

    async def any_in(self, status: str) -> bool:
        """Whether an execution has that *status*."""
        request = pb.ListExecutionsRequest(statuses=[status], limit=1)
        response = await self._stub.ListExecutions(request, metadata=self._metadata)
        return bool(response.executions)


class Account:
    """A user of the services in *folder*, with an access token."""

    def __init__(self, client: RpcClient, access_token: str) -> None:
        self.client = client
        self.access_token = access_token

    @classmethod
    async def of(cls, client: RpcClient) -> Self:
        """Registered, if that has not happened before, and logged in."""
        stub = AuthServiceStub(client.channel)
        try:
            request = auth_pb2.RegisterRequest(email=EMAIL, password=PASSWORD)
            await client.call(stub.Register, request)
        except Conflict:
            pass  # by an earlier benchmark in the same folder
        login = auth_pb2.LoginRequest(email=EMAIL, password=PASSWORD)
        return cls(client, (await client.call(stub.Login, login)).tokens.access_token)

    async def inner_token(self) -> str:
        """A token for the workflow service, as the gateway has it."""
        request = auth_pb2.ExchangeTokenRequest(
            access_token=self.access_token, audience="svc:workflow"
        )
        exchange = AuthServiceStub(self.client.channel).ExchangeToken
        return (await self.client.call(exchange, request)).internal_token

    async def internal_keys(self) -> bytes:
        """What internal tokens are verified with, as services have it."""
        request = auth_pb2.GetKeysRequest(use=auth_pb2.KEY_USE_INTERNAL)
        get_keys = AuthServiceStub(self.client.channel).GetKeys
        return (await self.client.call(get_keys, request)).jwks


@asynccontextmanager
async def account(folder: str, addresses: dict[str, str]) -> AsyncIterator[Account]:
    """A user of the services at *addresses*."""
    identity = ServiceIdentity.load_or_create(Path(folder) / "keys", "gateway")
    async with RpcClient(StaticRegistry(addresses), "auth", identity) as client:
        yield await Account.of(client)


@asynccontextmanager
async def workflow_client(folder: str, addresses: dict[str, str]) -> AsyncIterator[WorkflowClient]:
    """A client of the workflow service at *addresses*."""
    async with (
        account(folder, addresses) as user,
        grpc.aio.insecure_channel(addresses["workflow"]) as channel,
    ):
        yield WorkflowClient(channel, await user.inner_token())


@asynccontextmanager
async def skeleton_client(address: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """What calls a bare gRPC server once."""
    async with grpc.aio.insecure_channel(address) as channel:
        echo: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(ECHO)

        async def once() -> object:
            return await echo(PAYLOAD)

        yield once
