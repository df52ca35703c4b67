"""The services that a service calls, under its own name."""

from pathlib import Path

from chassis.clock import Clock
from chassis.discovery.port import Registry
from chassis.ids import Ids
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity


def neighbour(
    name: str, *, caller: str, registry: Registry, keys_dir: Path, clock: Clock, ids: Ids
) -> RpcClient:
    """A client of the service *name*, not entered yet, for *caller*, whose key is in *keys_dir*.

    Raises:
        CannotStart: the folder or the key cannot be used.
    """
    identity = ServiceIdentity.load_or_create(keys_dir, caller, clock=clock, ids=ids)
    return RpcClient(registry, name, identity, clock=clock, ids=ids)
