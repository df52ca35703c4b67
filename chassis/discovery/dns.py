"""Services by name in DNS: every address that a name has is an instance, as with Kubernetes' headless services."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from chassis.clock import Clock, SystemClock
from chassis.errors import Unavailable

FRESH: Final = 5.0
"""Seconds for which an answer counts."""

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host; OSError when there are none."""


class DnsRegistry:
    """A registry that reads and never writes: DNS learns of instances from whoever runs them.

    Args:
        services: `host:port` of each; the host is looked up.
        clock: what freshness is measured with.
        lookup: how.
    """

    def __init__(
        self, services: Mapping[str, str], clock: Clock | None = None, lookup: Lookup | None = None
    ) -> None:
        self._services = dict(services)
        self._clock = clock or SystemClock()
        self._lookup = lookup or _system_lookup
        self._known: dict[str, tuple[float, Sequence[str]]] = {}

    async def resolve(self, service: str) -> Sequence[str]:
        """See `Registry.resolve`; the last answer counts while DNS has none."""
        place = self._services.get(service)
        if place is None:
            return ()
        now = self._clock.monotonic()
        looked, known = self._known.get(service, (float("-inf"), ()))
        if now - looked < FRESH:
            return known
        host, _, port = place.rpartition(":")
        try:
            found = await self._lookup(host.strip("[]"), int(port))
        except OSError as exc:
            if not known:
                raise Unavailable(f"{host} has no address", retry_after=1) from exc
            found = ()
        addresses = tuple(sorted(_written(address, port) for address in found)) or known
        self._known[service] = (now, addresses)
        return addresses

    async def register(self, service: str, address: str) -> None:
        """Nothing: see the class."""

    async def deregister(self, service: str, address: str) -> None:
        """Nothing: see the class."""


async def _system_lookup(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list({str(address[0]) for *_, address in found})


def _written(address: str, port: str) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
