"""The gateway as the auth service sees it: a neighbour with an identity of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import jwt

from auth_service.adapters.argon2_hasher import Argon2Hasher
from auth_service.bootstrap import Running, running
from auth_service.config import Settings
from chassis.caching.memory import MemoryLimits
from chassis.clock import Clock, SystemClock
from chassis.discovery.static import StaticRegistry
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import CloudEvent
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from protos.auth.v1 import auth_pb2, auth_pb2_grpc
from tests.support.mongodb import database_url, patient
from tests.support.servers import mongo_url

EMAIL = "ada@example.com"
PASSWORD = "Analytical-Engine-1843"


@dataclass(slots=True)
class Gateway:
    """Calls the service in the words of identity."""

    rpc: RpcClient
    service: Running
    events: list[CloudEvent] = field(default_factory=list)
    origin: auth_pb2.Origin = field(
        default_factory=lambda: auth_pb2.Origin(address="198.51.100.7", user_agent="a browser")
    )

    @property
    def stub(self) -> "auth_pb2_grpc.AuthServiceAsyncStub":
        return auth_pb2_grpc.AuthServiceStub(self.rpc.channel)

    async def register(self, email: str = EMAIL, password: str = PASSWORD) -> auth_pb2.User:
        request = auth_pb2.RegisterRequest(
            email=email, password=password, name="Ada", origin=self.origin
        )
        return (await self.rpc.call(self.stub.Register, request)).user

    async def login(self, email: str = EMAIL, password: str = PASSWORD) -> auth_pb2.Tokens:
        request = auth_pb2.LoginRequest(email=email, password=password, origin=self.origin)
        return (await self.rpc.call(self.stub.Login, request)).tokens

    async def refresh(self, refresh_token: str) -> auth_pb2.Tokens:
        request = auth_pb2.RefreshRequest(refresh_token=refresh_token, origin=self.origin)
        return (await self.rpc.call(self.stub.Refresh, request)).tokens

    async def exchange(self, access_token: str, audience: str = "svc:auth") -> str:
        request = auth_pb2.ExchangeTokenRequest(access_token=access_token, audience=audience)
        return (await self.rpc.call(self.stub.ExchangeToken, request)).internal_token

    async def me(self, access_token: str) -> auth_pb2.User:
        token = await self.exchange(access_token)
        return (await self.rpc.call(self.stub.GetMe, auth_pb2.GetMeRequest(), token=token)).user

    async def rename(self, access_token: str, name: str) -> auth_pb2.User:
        token = await self.exchange(access_token)
        request = auth_pb2.UpdateMeRequest(name=name)
        return (await self.rpc.call(self.stub.UpdateMe, request, token=token)).user

    async def logout(self, access_token: str) -> str:
        token = await self.exchange(access_token)
        response = await self.rpc.call(self.stub.Logout, auth_pb2.LogoutRequest(), token=token)
        return response.session_id

    async def keys(self, use: auth_pb2.KeyUse.ValueType = auth_pb2.KEY_USE_ACCESS) -> bytes:
        return (await self.rpc.call(self.stub.GetKeys, auth_pb2.GetKeysRequest(use=use))).jwks

    @asynccontextmanager
    async def revocations(
        self, after: int = 0
    ) -> AsyncIterator[AsyncIterator[auth_pb2.WatchRevocationsResponse]]:
        request = auth_pb2.WatchRevocationsRequest(after=after)
        async with aclosing(
            self.rpc.stream(self.stub.WatchRevocations, request, timeout=20)  # type: ignore[type-var]
        ) as feed:
            yield feed


def settings_in(folder: Path, changed: Mapping[str, object]) -> Settings:
    """Settings of a service that keeps everything in *folder*."""
    found = Settings(data_dir=folder, store_dir=folder, grpc_port=0, admin_port=0)
    return replace(found, **changed)  # type: ignore[arg-type]


@asynccontextmanager
async def gateway(
    folder: Path,
    *,
    clock: Clock | None = None,
    settings: Mapping[str, object] | None = None,
    caller: str = "gateway",
) -> AsyncIterator[Gateway]:
    """A running auth service on the data in *folder*, and *caller* beside it."""
    clock = clock or SystemClock()
    events: list[CloudEvent] = []

    async def remember(event: CloudEvent) -> None:
        events.append(event)

    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(MemoryBus())
        bus.subscribe("test", ["io.autoworker.*"], remember)
        registry = StaticRegistry()
        service = await stack.enter_async_context(
            running(
                settings_in(folder, settings or {}),
                registry=registry,
                bus=bus,
                clock=clock,
                limits=MemoryLimits(clock),
                hasher=await stack.enter_async_context(Argon2Hasher(workers=2, memory_kib=64)),
            )
        )
        identity = ServiceIdentity.load_or_create(folder / "keys", caller, clock=clock)
        rpc = await stack.enter_async_context(RpcClient(registry, "auth", identity, clock=clock))
        yield Gateway(rpc, service, events)


def patient_url(folder: Path) -> str:
    """Where a database for *folder* is; nobody there is in a hurry, however slow the machine is."""
    return patient(database_url(mongo_url(), folder))


def says(token: str) -> dict[str, object]:
    """What a token says, unproved."""
    return dict(jwt.decode(token, options={"verify_signature": False}))
