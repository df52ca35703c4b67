"""The notification service behind its real gRPC entrypoint; its neighbours are played here."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.config import Environment
from chassis.discovery.static import StaticRegistry
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import CloudEvent
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import USER_ISSUER, USER_TYP, ServiceIdentity
from chassis.rpc.jws import TokenRefused, sign
from notification_service.bootstrap import Running, running
from notification_service.config import Settings
from protos.notification.v1 import notification_pb2 as pb
from protos.notification.v1.notification_pb2_grpc import NotificationServiceStub

if TYPE_CHECKING:
    from protos.notification.v1.notification_pb2_grpc import NotificationServiceAsyncStub

Result = TypeVar("Result")

EXECUTION_ENDED = "io.autoworker.workflow.execution-ended.v1"
BOTH = ("notifications:read", "notifications:write")


class Issuer:
    """Plays auth_service: signs internal tokens, and knows the key to verify them."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    async def key(self, kid: str) -> ec.EllipticCurvePublicKey:
        """See `KeySource.key`."""
        if kid != "k1":
            raise TokenRefused("unknown key")
        return self._key.public_key()

    def token(
        self, user: str, *, tenant: str = "default", permissions: tuple[str, ...] = BOTH
    ) -> str:
        """An internal token for the notification service."""
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": USER_ISSUER,
            "sub": user,
            "aud": "svc:notification",
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


@dataclass(frozen=True)
class User:
    """Somebody at the other end of the gateway."""

    client: RpcClient
    token: str

    @property
    def stub(self) -> "NotificationServiceAsyncStub":
        """The methods."""
        return NotificationServiceStub(self.client.channel)

    async def inbox(self, **query: object) -> list[pb.Notification]:
        """A page of the inbox."""
        return list((await self.page(**query)).notifications)

    async def page(self, **query: object) -> pb.ListNotificationsResponse:
        """A page of the inbox and the way to the next."""
        request = pb.ListNotificationsRequest(**query)  # type: ignore[arg-type]
        return await self.client.call(self.stub.ListNotifications, request, token=self.token)

    async def read(self, notification_id: str) -> pb.Notification:
        """Mark one as read."""
        request = pb.MarkReadRequest(id=notification_id)
        response = await self.client.call(self.stub.MarkRead, request, token=self.token)
        return response.notification

    async def want_email(self, wanted: bool) -> bool:
        """Change the preference; what it is then."""
        request = pb.UpdatePreferencesRequest(email=wanted)
        response = await self.client.call(self.stub.UpdatePreferences, request, token=self.token)
        return response.preferences.email

    async def wants_email(self) -> bool:
        """The preference."""
        request = pb.GetPreferencesRequest()
        response = await self.client.call(self.stub.GetPreferences, request, token=self.token)
        return response.preferences.email

    async def deliveries(self, notification_id: str = "") -> list[pb.Delivery]:
        """What was tried to reach them, newest first."""
        request = pb.ListDeliveriesRequest(notification_id=notification_id)
        response = await self.client.call(self.stub.ListDeliveries, request, token=self.token)
        return list(response.deliveries)

    async def mails(self) -> list[str]:
        """The statuses of attempts to mail them, oldest first."""
        return [each.status for each in await self.deliveries() if each.channel == "email"][::-1]

    def watch(self, after: int | None = None) -> AsyncIterator[pb.WatchNotificationsResponse]:
        """The inbox as it fills."""
        request = pb.WatchNotificationsRequest(after_position=after)
        return self.client.stream(self.stub.WatchNotifications, request, token=self.token)


@dataclass
class World:
    """One running service and those around it."""

    service: Running
    bus: MemoryBus
    issuer: Issuer
    client: RpcClient
    _count: int = field(default=0)

    def user(
        self, name: str, *, tenant: str = "default", permissions: tuple[str, ...] = BOTH
    ) -> User:
        """Somebody who is signed in."""
        return User(self.client, self.issuer.token(name, tenant=tenant, permissions=permissions))

    async def registered(
        self, user: str, *, name: str = "Alice", email: str = "", id_: str | None = None
    ) -> None:
        """auth_service announces a new user."""
        await self.say("io.autoworker.auth.user-registered.v1", user_data(user, name, email), id_)

    async def updated(self, user: str, *, name: str, email: str) -> None:
        """auth_service announces a change of a user."""
        await self.say("io.autoworker.auth.user-updated.v1", user_data(user, name, email))

    async def ended(
        self, owner: str, status: str = "completed", *, id_: str | None = None, **more: object
    ) -> None:
        """workflow_service announces the end of an execution."""
        await self.say(EXECUTION_ENDED, ended_data(owner, status, **more), id_)

    async def say(self, type_: str, data: object, id_: str | None = None) -> None:
        """Somebody announces something; returns when it was taken in."""
        self._count += 1
        event = cloud_event(type_, data, id_ or f"e{self._count}")
        await self.bus.publish([event])


def cloud_event(type_: str, data: object, id_: str) -> CloudEvent:
    """An event of the service that *type_* names; bytes as *data* stay as they are."""
    raw = data if isinstance(data, bytes) else msgspec.json.encode(data)
    return CloudEvent(
        id=id_,
        source="/autoworker/" + type_.split(".")[2],
        type=type_,
        time=datetime.now(UTC),
        data=msgspec.Raw(raw),
        extensions={"tenant": "default"},
    )


def ended_event(owner: str, status: str = "completed") -> CloudEvent:
    """The announcement of an end."""
    return cloud_event(EXECUTION_ENDED, ended_data(owner, status), "e1")


def user_data(user: str, name: str, email: str) -> dict[str, object]:
    """What auth_service says of a user."""
    return {
        "user_id": user,
        "tenant": "default",
        "email": email or f"{user}@example.org",
        "name": name,
        "created_at": "2026-01-15T10:30:00Z",
    }


def ended_data(owner: str, status: str, **more: object) -> dict[str, object]:
    """What workflow_service says of an end."""
    return {
        "execution_id": "x1",
        "workflow": {"namespace": "shop", "name": "order", "version": "1.0.0"},
        "status": status,
        "owner": owner,
        "tenant": "default",
        "error": None,
        "started_at": "2026-01-15T10:30:00Z",
        "ended_at": "2026-01-15T10:30:01Z",
        **more,
    }


def settings(folder: Path, *, smtp: str = "", **more: str) -> Settings:
    """Settings of a service in *folder*, on free ports, impatient with mail servers."""
    values = {
        "AUTOWORKER_DATA_DIR": str(folder),
        "AUTOWORKER_NOTIFICATION_GRPC_PORT": "0",
        "AUTOWORKER_NOTIFICATION_ADMIN_PORT": "0",
        "AUTOWORKER_SMTP_URL": smtp,
        "AUTOWORKER_SMTP_FROM": "Autoworker <no-reply@autoworker.example>",
        "AUTOWORKER_SMTP_RETRY_BASE": "0.02",
        "AUTOWORKER_SMTP_RETRY_CAP": "0.1",
        "AUTOWORKER_SMTP_MAX_ATTEMPTS": "50",
        **more,
    }
    return Settings.from_environment(Environment(values))


@contextlib.asynccontextmanager
async def world(folder: Path, *, smtp: str = "", **more: str) -> AsyncIterator[World]:
    """The service on the data in *folder*."""
    registry, issuer = StaticRegistry(), Issuer()
    identity = ServiceIdentity.load_or_create(folder / "keys", "gateway")
    async with contextlib.AsyncExitStack() as stack:
        bus = await stack.enter_async_context(MemoryBus())
        service = await stack.enter_async_context(
            running(settings(folder, smtp=smtp, **more), registry=registry, bus=bus, keys=issuer)
        )
        client = await stack.enter_async_context(RpcClient(registry, "notification", identity))
        yield World(service, bus, issuer, client)


def holds(ask: Callable[[], Awaitable[Result]], expected: Result) -> Callable[[], Awaitable[bool]]:
    """A condition: *ask* answers *expected*."""

    async def condition() -> bool:
        return await ask() == expected

    return condition
