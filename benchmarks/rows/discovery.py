"""Calls between services that find each other in Consul, beside a fixed address."""

import secrets
from pathlib import Path
from typing import Final

from benchmarks.clients import Account
from benchmarks.folders import folder
from benchmarks.load import Load, best
from benchmarks.processes import Place, place
from benchmarks.report import Figure, Report
from benchmarks.servers import consul
from benchmarks.sizes import Sizes
from chassis.discovery.consul import ConsulRegistry
from chassis.discovery.port import Registry
from chassis.discovery.static import StaticRegistry
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity

IN_FLIGHT: Final = 64


async def discovery(sizes: Sizes) -> Report:
    """Requests a second through a client that resolves, balances and watches."""
    with folder() as path:
        async with consul() as url, place("services", path) as services:
            address = services.addresses["auth"]
            prefix = f"bench-{secrets.token_hex(4)}-"
            async with ConsulRegistry(url, prefix=prefix) as registry:
                await registry.register("auth", address)
                found = await _calls(path, registry, services, sizes)
                await registry.deregister("auth", address)
            fixed = await _calls(path, StaticRegistry({"auth": address}), services, sizes)
    return Report(
        "discovery",
        f"{IN_FLIGHT} calls in flight to one instance, beside those to a fixed address",
        (
            Figure("requests a second, found in Consul", found.rate, "/s", fixed.rate),
            Figure("CPU of caller and callee a request", _cpu(found), "µs", _cpu(fixed)),
        ),
    )


async def _calls(path: str, registry: Registry, services: Place, sizes: Sizes) -> Load:
    identity = ServiceIdentity.load_or_create(Path(path) / "keys", "gateway")
    async with RpcClient(registry, "auth", identity) as client:
        user = Account(client, "")
        return await best(sizes.runs, user.internal_keys, IN_FLIGHT, sizes.flood, [services])


def _cpu(load: Load) -> float:
    return load.cpu_per_1000 * 1000
