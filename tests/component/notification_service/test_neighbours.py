"""How the service gets on with auth_service, which is played here."""

import asyncio
import json
from pathlib import Path
from typing import Any, cast

import pytest
from jwt.algorithms import ECAlgorithm

from chassis.discovery.static import StaticRegistry
from chassis.errors import Unauthenticated, Unavailable
from chassis.health import Health
from chassis.messaging.memory import MemoryBus
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier
from chassis.rpc.server import RpcServer, ServiceOnly
from notification_service.bootstrap import running
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import AuthServiceServicer, add_AuthServiceServicer_to_server
from tests.component.notification_service.world import Issuer, User, ended_event, settings
from tests.support.no_policies import (
    NoPolicies,
    add_PolicyServiceServicer_to_server,
    policy_methods,
)

_AUTH = auth_pb2.DESCRIPTOR.services_by_name["AuthService"]
_GUARDS = {f"/{_AUTH.full_name}/{each.name}": ServiceOnly() for each in _AUTH.methods} | {
    method: ServiceOnly() for method in policy_methods()
}


class FakeAuth(AuthServiceServicer):
    """Publishes the keys of an issuer."""

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self.uses: list[int] = []

    async def GetKeys(self, request: auth_pb2.GetKeysRequest, context: Any) -> Any:  # noqa: N802
        """The keys, as a JWK set."""
        self.uses.append(request.use)
        key = json.loads(ECAlgorithm.to_jwk(await self._issuer.key("k1")))
        jwks = {"keys": [{**key, "kid": "k1", "alg": "ES256", "use": "sig"}]}
        return auth_pb2.GetKeysResponse(jwks=json.dumps(jwks).encode())


async def test_tokens_are_verified_by_the_internal_keys_of_auth(tmp_path: Path) -> None:
    registry, issuer = StaticRegistry(), Issuer()
    auth = FakeAuth(issuer)  # type: ignore[abstract]  # nobody calls the rest
    server = RpcServer(
        service="auth",
        host="127.0.0.1",
        port=0,
        verifier=TokenVerifier("svc:auth", tmp_path / "keys"),
        guards=_GUARDS,
        health=Health(),
    )
    server.add(add_AuthServiceServicer_to_server, auth)
    server.add(add_PolicyServiceServicer_to_server, NoPolicies())  # type: ignore[abstract]
    identity = ServiceIdentity.load_or_create(tmp_path / "keys", "gateway")
    async with (
        server,
        MemoryBus() as bus,
        running(settings(tmp_path), registry=registry, bus=bus),
        RpcClient(registry, "notification", identity) as client,
    ):
        await registry.register("auth", server.address)

        assert await User(client, issuer.token("alice")).inbox() == []
        with pytest.raises(Unauthenticated):
            await User(client, Issuer().token("alice")).inbox()

    assert auth.uses == [auth_pb2.KEY_USE_INTERNAL]


async def test_without_auth_nobody_can_be_known(tmp_path: Path) -> None:
    registry = StaticRegistry()
    identity = ServiceIdentity.load_or_create(tmp_path / "keys", "gateway")
    async with (
        MemoryBus() as bus,
        running(settings(tmp_path), registry=registry, bus=bus) as service,
        RpcClient(registry, "notification", identity) as client,
    ):
        with pytest.raises(Unavailable):
            await User(client, Issuer().token("alice")).inbox()

        assert list(await registry.resolve("notification")) == [service.rpc_address]
    assert list(await registry.resolve("notification")) == []


async def test_a_stop_ends_open_watches_soon(tmp_path: Path) -> None:
    registry, issuer = StaticRegistry(), Issuer()
    identity = ServiceIdentity.load_or_create(tmp_path / "keys", "gateway")
    async with RpcClient(registry, "notification", identity) as client:
        stream = cast("Any", User(client, issuer.token("alice")).watch(0))
        async with (
            MemoryBus() as bus,
            running(settings(tmp_path), registry=registry, bus=bus, keys=issuer),
        ):
            await bus.publish([ended_event("alice")])
            await anext(stream)
            began = asyncio.get_running_loop().time()

        assert asyncio.get_running_loop().time() - began < 20
        with pytest.raises(Unavailable):
            await anext(stream)
