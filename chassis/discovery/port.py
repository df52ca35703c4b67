"""Finding services by name."""

from collections.abc import Sequence
from typing import Protocol


class Registry(Protocol):
    """Knows where each service can be reached.

    Names: "auth", "workflow", "notification", "gateway". Addresses: "host:port".
    """

    async def resolve(self, service: str) -> Sequence[str]:
        """The addresses of *service* that are thought to work now, in no order; maybe none.

        Raises:
            Unavailable: the registry itself cannot be reached.
        """
        ...

    async def register(self, service: str, address: str) -> None:
        """Say that *service* can be reached at *address*; saying it twice changes nothing."""
        ...

    async def deregister(self, service: str, address: str) -> None:
        """Take that back; it need not have been said."""
        ...
