"""The workflow service behind its real gRPC entrypoint; its neighbours are played here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.clock import Clock
from chassis.config import Environment
from chassis.discovery.static import StaticRegistry
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Bus, CloudEvent
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import USER_ISSUER, USER_TYP, ServiceIdentity
from chassis.rpc.jws import TokenRefused, sign
from protos.events.v1 import events_pb2
from protos.workflow.v1 import workflow_pb2 as pb
from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub
from tests.support.time import eventually
from workflow_service.bootstrap import Running, running
from workflow_service.config import Settings
from workflow_service.domain.execution.effects import Effect, Outcome, Succeeded

if TYPE_CHECKING:
    from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceAsyncStub

USER = (
    "workflows:read",
    "workflows:write",
    "executions:read",
    "executions:write",
    "events:write",
)
ADMIN = (*USER, "executions:read-all", "executions:write-all")


class Issuer:
    """Plays auth_service: signs internal tokens, and knows the key to verify them."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    async def key(self, kid: str) -> ec.EllipticCurvePublicKey:
        """See ``KeySource.key``."""
        if kid != "k1":
            raise TokenRefused("unknown key")
        return self._key.public_key()

    def token(self, user: str, tenant: str, permissions: tuple[str, ...]) -> str:
        """An internal token for the workflow service."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": USER_ISSUER,
            "sub": user,
            "aud": "svc:workflow",
            "exp": now + 60,
            "iat": now,
            "jti": "j1",
            "sid": "s1",
            "tenant": tenant,
            "roles": ["user"],
            "permissions": list(permissions),
            "act": {"sub": "svc:gateway"},
        }
        return sign(claims, self._key, typ=USER_TYP, kid="k1")


@dataclass
class Callees:
    """Plays everybody whom workflows call; by default they answer at once with nothing."""

    outcome: Callable[[Effect], Outcome] = lambda _: Succeeded(None)
    seen: list[Effect] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._open.set()

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """See ``Runner``."""
        self.seen.append(effect)
        await self._open.wait()
        return self.outcome(effect)

    def hold(self) -> None:
        """Answer nobody until ``release``."""
        self._open.clear()

    def release(self) -> None:
        """Answer all."""
        self._open.set()


@dataclass(frozen=True)
class User:
    """Somebody at the other end of the gateway."""

    client: RpcClient
    token: str

    @property
    def stub(self) -> WorkflowServiceAsyncStub:
        """The methods."""
        return WorkflowServiceStub(self.client.channel)

    async def publish(self, document: str | bytes, media_type: str = "application/yaml") -> bool:
        """Publish a definition; whether it was new."""
        content = document.encode() if isinstance(document, str) else document
        request = pb.PublishDefinitionRequest(document=content, media_type=media_type)
        method = self.stub.PublishDefinition
        return (await self.client.call(method, request, token=self.token)).created

    async def start(
        self, name: str, input: Any = None, *, wait: float = 0, **more: Any
    ) -> pb.Execution:
        """Start a workflow of the namespace ``test``."""
        request = pb.StartExecutionRequest(
            workflow=pb.WorkflowReference(namespace="test", name=name),
            input=msgspec.json.encode(input),
            wait_ms=int(wait * 1000),
            **more,
        )
        method = self.stub.StartExecution
        return (await self.client.call(method, request, token=self.token)).execution

    async def get(self, execution: str) -> pb.Execution:
        """An execution."""
        request = pb.GetExecutionRequest(id=execution)
        method = self.stub.GetExecution
        return (await self.client.call(method, request, token=self.token)).execution

    async def until_ended(self, execution: str) -> pb.Execution:
        """An execution, once it has ended."""

        async def ended() -> bool:
            return bool((await self.get(execution)).ended_at.seconds)

        await eventually(ended)
        return await self.get(execution)

    async def list(self, **wanted: Any) -> pb.ListExecutionsResponse:
        """A page of executions."""
        request = pb.ListExecutionsRequest(**wanted)
        return await self.client.call(self.stub.ListExecutions, request, token=self.token)

    async def history(self, execution: str, **wanted: Any) -> pb.GetHistoryResponse:
        """A page of a history."""
        request = pb.GetHistoryRequest(id=execution, **wanted)
        return await self.client.call(self.stub.GetHistory, request, token=self.token)

    async def watch(self, execution: str, after: int = 0) -> AsyncIterator[pb.HistoryEvent]:
        """The history as it goes on."""
        request = pb.WatchHistoryRequest(id=execution, after_sequence=after)
        stream = self.client.stream(self.stub.WatchHistory, request, token=self.token)
        async for batch in stream:
            for event in batch.events:
                yield event

    async def explain(self, execution: str) -> pb.ExplainExecutionResponse:
        """Why an execution is not moving."""
        request = pb.ExplainExecutionRequest(id=execution)
        return await self.client.call(self.stub.ExplainExecution, request, token=self.token)

    async def cancel(self, execution: str, reason: str = "") -> pb.Execution:
        """End an execution."""
        request = pb.CancelExecutionRequest(id=execution, reason=reason)
        method = self.stub.CancelExecution
        return (await self.client.call(method, request, token=self.token)).execution

    async def suspend(self, execution: str, reason: str = "") -> pb.Execution:
        """Halt an execution."""
        request = pb.SuspendExecutionRequest(id=execution, reason=reason)
        method = self.stub.SuspendExecution
        return (await self.client.call(method, request, token=self.token)).execution

    async def resume(self, execution: str) -> pb.Execution:
        """Let an execution go on."""
        request = pb.ResumeExecutionRequest(id=execution)
        method = self.stub.ResumeExecution
        return (await self.client.call(method, request, token=self.token)).execution

    async def retry(self, execution: str, **more: Any) -> pb.Execution:
        """Take an execution up again."""
        request = pb.RetryExecutionRequest(id=execution, **more)
        method = self.stub.RetryExecution
        return (await self.client.call(method, request, token=self.token)).execution

    async def send(self, *events: events_pb2.CloudEvent) -> int:
        """Publish events; how many were new."""
        request = pb.PublishEventsRequest(events=events)
        method = self.stub.PublishEvents
        return (await self.client.call(method, request, token=self.token)).accepted


@dataclass
class World:
    """One running service and those around it."""

    service: Running
    bus: MemoryBus
    issuer: Issuer
    client: RpcClient
    callees: Callees
    heard: list[CloudEvent]

    def user(
        self, name: str = "ada", *, tenant: str = "default", permissions: tuple[str, ...] = USER
    ) -> User:
        """Somebody who is signed in."""
        return User(self.client, self.issuer.token(name, tenant, permissions))

    def types_heard(self, subject: str) -> list[str]:
        """What the bus has heard of an execution."""
        return [event.type for event in self.heard if event.subject == subject]


def settings(folder: Path, **more: str) -> Settings:
    """Settings of a service in *folder*, on free ports."""
    values = {
        "AUTOWORKER_DATA_DIR": str(folder),
        "AUTOWORKER_WORKFLOW_GRPC_PORT": "0",
        "AUTOWORKER_WORKFLOW_ADMIN_PORT": "0",
        **more,
    }
    return Settings.from_environment(Environment(values))


@contextlib.asynccontextmanager
async def world(
    folder: Path,
    *,
    callees: Callees | None = None,
    clock: Clock | None = None,
    bus: Bus | None = None,
    for_real: bool = False,
    **more: str,
) -> AsyncIterator[World]:
    """The service on the data in *folder*; *bus* is one within the process by default.

    Calls go to *callees*, unless they are made *for_real*.
    """
    registry, issuer, played = StaticRegistry(), Issuer(), callees or Callees()
    identity = ServiceIdentity.load_or_create(folder / "keys", "gateway")
    heard: list[CloudEvent] = []

    async def hear(event: CloudEvent) -> None:
        heard.append(event)

    async with contextlib.AsyncExitStack() as stack:
        local = await stack.enter_async_context(MemoryBus())
        local.subscribe("test", ["*"], hear)
        service = await stack.enter_async_context(
            running(
                settings(folder, **more),
                registry=registry,
                bus=bus or local,
                keys=issuer,
                runner=None if for_real else played,
                clock=clock,
            )
        )
        client = await stack.enter_async_context(RpcClient(registry, "workflow", identity))
        yield World(service, local, issuer, client, played, heard)
