"""Opens what `AUTOWORKER_REGISTRY_URL` names."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.backends import Backends
from chassis.discovery.consul import ConsulRegistry
from chassis.discovery.dns import DnsRegistry
from chassis.discovery.port import Registry
from chassis.discovery.static import StaticRegistry


@asynccontextmanager
async def registry_at(backends: Backends) -> AsyncIterator[Registry]:
    """The registry of *backends*: `static://`, `dns://`, `consul://` or `consul+https://`."""
    if backends.registry_url.startswith("static:"):
        yield StaticRegistry(backends.services)
    elif backends.registry_url.startswith("dns:"):
        yield DnsRegistry(backends.services)
    else:
        async with ConsulRegistry(
            backends.registry_url, advertised_host=backends.advertised_host
        ) as registry:
            yield registry
