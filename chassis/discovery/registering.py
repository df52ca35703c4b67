"""Being found: an address is in the registry as long as somebody listens on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.discovery.port import Registry


@asynccontextmanager
async def registered(registry: Registry, service: str, address: str) -> AsyncIterator[None]:
    """Have *service* found at *address* (`host:port`) until the block is left."""
    await registry.register(service, address)
    try:
        yield
    finally:
        await registry.deregister(service, address)
