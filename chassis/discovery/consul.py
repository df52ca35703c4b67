"""Services find each other in Consul, which also looks after their health.

What was known last counts while Consul is away: services that found each other once go on without it.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from aiohttp import ClientSession

from chassis.discovery.consul_api import Check, ConsulApi, Entry, Registration
from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger

LOOK_AFTER: Final = 5.0
_PATIENCE: Final = 6.0
"""Seconds that somebody who asks first waits for the first answer."""
_PAUSE: Final = 1.0
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- not bound to, but noticed
_OVER_HTTP: Final = frozenset({"gateway"})
"""Who is asked for its health over HTTP, not gRPC."""

_log = get_logger("chassis.discovery.consul")


@dataclass(slots=True)
class _Known:
    """What is known of one service."""

    addresses: tuple[str, ...] = ()
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class ConsulRegistry:
    """A registry that many processes share. Use it with `async with`.

    Args:
        url: of the agent: see `ConsulApi`.
        prefix: of the services' names in Consul, so that several suites can share it.
        meta: what instances say of themselves.
        advertised_host: where others reach the instances of this process; None: where they listen, or, when they
            listen everywhere, at the address from which this machine talks to Consul.
        look_after: seconds between two looks whether Consul still knows what was registered.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "autoworker-",
        meta: dict[str, str] | None = None,
        advertised_host: str | None = None,
        look_after: float = LOOK_AFTER,
    ) -> None:
        self._url = url
        self._advertised_host = advertised_host
        self._look_after = look_after
        self._prefix = prefix
        self._meta = meta or {}
        self._known: dict[str, _Known] = {}
        self._registered: dict[str, Registration] = {}
        self._session: ClientSession | None = None
        self._asking: ConsulApi | None = None
        self._supervisor = Supervisor(deadline=1.0)

    async def __aenter__(self) -> Self:
        self._session = ClientSession()
        self._asking = ConsulApi(self._session, self._url)
        await self._supervisor.__aenter__()
        _ = self._supervisor.start("consul registrations", self._stay_registered())
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self._supervisor.__aexit__(None, None, None)
        finally:
            if self._session is not None:
                await self._session.close()

    async def resolve(self, service: str) -> Sequence[str]:
        """See `Registry.resolve`; only the first question about a service waits for Consul."""
        known = self._known.get(service)
        if known is None:
            known = self._known[service] = _Known()
            _ = self._supervisor.start(f"consul watch of {service}", self._watch(service, known))
        if not known.answered.is_set():
            try:
                async with asyncio.timeout(_PATIENCE):
                    await known.answered.wait()
            except TimeoutError:
                raise Unavailable("Consul does not answer", retry_after=1) from None
        return known.addresses

    async def register(self, service: str, address: str) -> None:
        """See `Registry.register`; Consul asks the instance for its health from now on."""
        registration = await self._registration(service, address)
        await self._api.register(registration)
        self._registered[registration.ID] = registration

    async def deregister(self, service: str, address: str) -> None:
        """See `Registry.deregister`. A Consul that is away finds out by itself that it is gone."""
        instance = (await self._registration(service, address)).ID
        self._registered.pop(instance, None)
        try:
            await self._api.deregister(instance)
        except Unavailable as exc:
            _log.warning("not_deregistered", instance=instance, reason=exc.message)

    @property
    def _api(self) -> ConsulApi:
        if self._asking is None:
            raise RuntimeError("the registry was not entered")
        return self._asking

    async def _registration(self, service: str, address: str) -> Registration:
        host, _, port = address.rpartition(":")
        host = (self._advertised_host or host).strip("[]")
        if host in _EVERYWHERE:
            host = self._advertised_host = await _own_address(self._url)
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        is_http = service in _OVER_HTTP
        return Registration(
            ID=f"{self._prefix}{service}-{place}",
            Name=self._prefix + service,
            Address=host,
            Port=int(port),
            Check=Check(HTTP=f"http://{place}/readyz") if is_http else Check(GRPC=place),
            Meta=self._meta,
        )

    async def _watch(self, service: str, known: _Known) -> None:
        index = 0
        while True:
            try:
                latest, entries = await self._api.healthy(self._prefix + service, index)
            except Unavailable as exc:
                _log.warning("consul_watch_interrupted", service=service, reason=exc.message)
                index = 0
                await asyncio.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 -- no secret
                continue
            # An index that goes back is of another Consul: begin anew, or wait for what never comes.
            index = latest if latest >= index else 0
            # Nobody at all is what an agent says that has just started: who was there last may well be there.
            known.addresses = tuple(sorted(map(_address, entries))) or known.addresses
            known.answered.set()

    async def _stay_registered(self) -> None:
        """Register again what a restarted agent has forgotten."""
        while True:
            await asyncio.sleep(self._look_after)
            for registration in tuple(self._registered.values()):
                try:
                    await self._register_again(registration)
                except Unavailable as exc:
                    _log.warning("consul_away", reason=exc.message)

    async def _register_again(self, registration: Registration) -> None:
        name = registration.ID
        if await self._api.is_known(registration) or name not in self._registered:
            return
        await self._api.register(registration)
        if name in self._registered:
            _log.info("registered_again", instance=name)
        else:  # it has left meanwhile, and nobody else would say so
            await self._api.deregister(name)


async def _own_address(url: str) -> str:
    """The address of this machine from which *url* is reached. Nothing is sent."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol,
            remote_addr=(parts.hostname or "127.0.0.1", parts.port or 8500),
        )
    except OSError as exc:
        raise Unavailable(f"Consul cannot be found: {exc.strerror}", retry_after=1) from exc
    try:
        return str(transport.get_extra_info("sockname")[0])
    finally:
        transport.close()


def _address(entry: Entry) -> str:
    host = entry.Service.Address
    return f"[{host}]:{entry.Service.Port}" if ":" in host else f"{host}:{entry.Service.Port}"
