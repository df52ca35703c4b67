"""Instances of services that do nothing but answer for their health, as Consul asks all that it is told of."""

from __future__ import annotations

import grpc
from grpc_health.v1 import health
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server


class Services:
    """Servers that say that they are well. Those that are left are stopped in the end."""

    def __init__(self) -> None:
        self._running: dict[str, grpc.aio.Server] = {}

    async def start(self) -> str:
        """Start one; return its address."""
        server = grpc.aio.server()
        add_HealthServicer_to_server(health.aio.HealthServicer(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        self._running[f"127.0.0.1:{port}"] = server
        return f"127.0.0.1:{port}"

    async def stop(self, address: str) -> None:
        """Stop the one at *address*."""
        await self._running.pop(address).stop(None)

    async def stop_all(self) -> None:
        """Stop all that are left."""
        for address in tuple(self._running):
            await self.stop(address)
