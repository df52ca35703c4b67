"""Where the suite's own services are, so that no workflow calls them behind the gateway's back."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from chassis.discovery.port import Registry
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

SERVICES: Final = ("auth", "workflow", "notification", "gateway")
REFRESH: Final = 10.0
"""Seconds between two looks at the registry."""

_log = get_logger("workflow_service.own_addresses")


class OwnAddresses:
    """What the registry knows, and *known* addresses besides; as ``host:port``."""

    def __init__(self, registry: Registry, known: Sequence[str]) -> None:
        self._registry = registry
        self._known = tuple(known)
        self._found: tuple[str, ...] = ()

    def __call__(self) -> Sequence[str]:
        """Return all that are known now."""
        return self._known + self._found

    def add(self, address: str) -> None:
        """Know *address* from now on, whatever the registry says."""
        self._known += (address,)

    async def refresh(self) -> None:
        """Ask the registry once; what it cannot say stays as it was."""
        try:
            found = await asyncio.gather(*map(self._registry.resolve, SERVICES))
        except Unavailable as exc:
            _log.warning("own_addresses_unknown", reason=exc.message)
        else:
            self._found = tuple(address for addresses in found for address in addresses)

    async def keep_fresh(self) -> None:
        """Ask the registry for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(REFRESH)
