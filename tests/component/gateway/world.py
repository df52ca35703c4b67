"""A gateway between played neighbours and a client that speaks HTTP."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from chassis.discovery.static import StaticRegistry
from chassis.health import Health
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier
from chassis.rpc.keys import RemoteKeys
from chassis.rpc.server import RpcServer
from gateway.bootstrap import running
from gateway.config import Settings
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import add_AuthServiceServicer_to_server
from protos.notification.v1.notification_pb2_grpc import add_NotificationServiceServicer_to_server
from protos.workflow.v1.workflow_pb2_grpc import add_WorkflowServiceServicer_to_server
from tests.component.gateway.neighbours import (
    GUARDS,
    PlayedAuth,
    PlayedNotifications,
    PlayedWorkflows,
)


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The error, in the one shape that errors have."""
        error = self.json["error"]
        assert set(error) == {"code", "message", "details", "timestamp", "request_id"}
        assert error["request_id"] == self.headers["X-Request-Id"]
        return error

    def fields(self) -> set[str]:
        """The fields that the error names."""
        return {detail["field"] for detail in self.error["details"]}


@dataclass
class World:
    """Everything a component test holds in its hands."""

    url: str
    admin: str
    auth: PlayedAuth
    workflows: PlayedWorkflows
    notifications: PlayedNotifications
    registry: StaticRegistry
    http: aiohttp.ClientSession
    servers: dict[str, RpcServer]
    stop: Callable[[], Any]

    @property
    def port(self) -> int:
        """The gateway's port."""
        return int(self.url.rpartition(":")[2])

    def bearer(self, **claims: Any) -> dict[str, str]:
        """The header of somebody who is signed in."""
        return {"Authorization": f"Bearer {self.auth.access_token(**claims)}"}

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
        anonymous: bool = False,
    ) -> Answer:
        """Ask the gateway; *body* is sent as JSON, *data* as it is."""
        sent = ({} if anonymous else self.bearer()) | (headers or {})
        if body is not None:
            data = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        sent.setdefault("Content-Type", "")
        if not sent["Content-Type"]:
            del sent["Content-Type"]
        # A stream would go out in chunks; its length is known, so it is told.
        if data is not None:
            sent["Content-Length"] = str(len(data))
        async with self.http.request(
            method,
            self.url + path,
            data=None if data is None else io.BytesIO(data),
            headers=sent,
            skip_auto_headers=("Content-Type",),
            allow_redirects=False,
        ) as response:
            return Answer(response.status, response.headers, await response.read())

    async def raw(self, request: bytes, *, half: bool = False, timeout: float = 20.0) -> bytes:
        """Send bytes as they are; all that comes back until the gateway closes (or *timeout*)."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        received = b""
        try:
            writer.write(request)
            await writer.drain()
            async with asyncio.timeout(timeout):
                while chunk := await reader.read(65536):
                    received += chunk
        except (TimeoutError, ConnectionError):
            if not half:
                raise
        finally:
            writer.close()
        return received


@asynccontextmanager
async def a_world(tmp_path: Path, **changes: Any) -> AsyncIterator[World]:
    """A gateway with *changes* to its settings, and everything around it."""
    async with AsyncExitStack() as stack:
        keys = tmp_path / "data" / "keys"
        ServiceIdentity.load_or_create(keys, "gateway")
        registry = StaticRegistry()
        auth, workflows, notifications = PlayedAuth(), PlayedWorkflows(), PlayedNotifications()
        adders: dict[str, tuple[Any, Any]] = {
            "auth": (add_AuthServiceServicer_to_server, auth),
            "workflow": (add_WorkflowServiceServicer_to_server, workflows),
            "notification": (add_NotificationServiceServicer_to_server, notifications),
        }
        servers = {}
        for name, (adder, servicer) in adders.items():
            server = _server(name, keys, auth)
            server.add(adder, servicer)
            servers[name] = await stack.enter_async_context(server)
            await registry.register(name, server.address)
        settings = replace(
            Settings(http_port=0, admin_port=0, data_dir=tmp_path / "data", access_log="off"),
            **changes,
        )
        gateway = AsyncExitStack()
        stack.push_async_exit(gateway)
        place = await gateway.enter_async_context(running(settings, registry=registry))
        session = await stack.enter_async_context(
            aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))
        )
        yield World(
            place.http_address,
            place.admin_address,
            auth,
            workflows,
            notifications,
            registry,
            session,
            servers,
            gateway.aclose,
        )


def _server(name: str, keys_dir: Path, auth: PlayedAuth) -> RpcServer:
    async def internal_keys() -> bytes:
        request = auth_pb2.GetKeysRequest(use=auth_pb2.KEY_USE_INTERNAL)
        jwks: bytes = (await auth.GetKeys(request, None)).jwks
        return jwks

    verifier = TokenVerifier(f"svc:{name}", keys_dir, RemoteKeys(internal_keys))
    return RpcServer(
        service=name,
        host="127.0.0.1",
        port=0,
        verifier=verifier,
        guards=GUARDS[name],
        health=Health(),
        drain=0.5,
    )
