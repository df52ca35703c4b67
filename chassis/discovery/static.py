"""Addresses that somebody configured, and those of services in the same process."""

from collections.abc import Mapping, Sequence


class StaticRegistry:
    """A registry for one process.

    Services that registered themselves go before configured addresses: they are here, on whatever
    port they got.

    Args:
        addresses: where each service is, unless it registers itself.
    """

    def __init__(self, addresses: Mapping[str, str] | None = None) -> None:
        self._configured = dict(addresses or {})
        self._registered: dict[str, list[str]] = {}

    async def resolve(self, service: str) -> Sequence[str]:
        """The addresses that registered, else the configured one."""
        if registered := self._registered.get(service):
            return tuple(registered)
        configured = self._configured.get(service)
        return () if configured is None else (configured,)

    async def register(self, service: str, address: str) -> None:
        """Add *address* to those of *service*."""
        addresses = self._registered.setdefault(service, [])
        if address not in addresses:
            addresses.append(address)

    async def deregister(self, service: str, address: str) -> None:
        """Take *address* away from those of *service*."""
        addresses = self._registered.get(service, [])
        if address in addresses:
            addresses.remove(address)
