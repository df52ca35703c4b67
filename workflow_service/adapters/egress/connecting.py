"""Resolving and connecting under the address policy.

A name is resolved for each new connection, all of its addresses are judged, and aiohttp
connects to exactly these: there is no second resolution in which an answer could change. The
socket factory judges once more what is really about to be connected to.
"""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

from workflow_service.adapters.egress.addresses import AddressPolicy, parse_address, plain
from workflow_service.adapters.egress.errors import EgressRefused

Lookup: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""All addresses of a name, as text; raises OSError when there are none."""

SocketAddress: TypeAlias = tuple[
    int | socket.AddressFamily, int | socket.SocketKind, int, str, tuple[object, ...]
]
_ADMITTED_KEPT = 16_384


class ConnectRefused(OSError):
    """A connection was about to be made to an address that nobody admitted."""


class SystemLookup:
    """The system's resolver, on threads of its own: a slow name server delays only egress."""

    def __init__(self, threads: int = 4) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="egress-dns")

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedResolver(AbstractResolver):
    """An aiohttp resolver that gives permitted addresses only."""

    def __init__(self, policy: AddressPolicy, lookup: Lookup) -> None:
        self._policy = policy
        self._lookup = lookup
        self._admitted: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Every address of *host*; one that is refused makes the whole name refused.

        Raises:
            EgressRefused: an address is not permitted.
            OSError: the name has no address.
        """
        if parse_address(host) is not None:
            return [self._checked(host, host, port)]
        try:
            addresses = await self._lookup(host, port)
        except UnicodeError as exc:
            raise OSError(None, "the name cannot be looked up") from exc
        if not addresses:
            raise OSError(None, "the name has no address")
        return [self._checked(host, text, port) for text in dict.fromkeys(addresses)]

    def admit(self, host: str, port: int) -> None:
        """Judge a *host* that is an address itself: aiohttp does not ask a resolver for those.

        Raises:
            EgressRefused: it is not permitted.
        """
        if parse_address(host) is not None:
            self._checked(host, host, port)

    def socket_for(self, info: SocketAddress) -> socket.socket:
        """Make the socket for a connection that is about to be made."""
        family, kind, protocol, _, address = info
        if not self.is_admitted(address):
            raise ConnectRefused("not admitted")
        return socket.socket(family, kind, protocol)

    def is_admitted(self, address: object) -> bool:
        """Whether the socket *address* was permitted before."""
        match address:
            case (str() as text, int() as port, *_):
                found = parse_address(text)
                return found is not None and (str(plain(found)), port) in self._admitted
            case _:
                return False

    def _checked(self, host: str, text: str, port: int) -> ResolveResult:
        address = parse_address(text)
        if address is None or not self._policy.permits(host, address, port):
            raise EgressRefused
        key = (str(plain(address)), port)
        self._admitted[key] = None
        self._admitted.move_to_end(key)
        if len(self._admitted) > _ADMITTED_KEPT:
            self._admitted.popitem(last=False)
        return ResolveResult(
            hostname=host,
            host=text,
            port=port,
            family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
            proto=0,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )

    async def close(self) -> None:
        if isinstance(self._lookup, SystemLookup):
            self._lookup.close()
