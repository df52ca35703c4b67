"""What leaves while it is looked whether Consul still knows it stays away."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from chassis.discovery.consul import ConsulRegistry
from chassis.discovery.consul_api import Registration
from tests.support.time import eventually

ADDRESS = "127.0.0.1:5001"


@dataclass
class ForgetfulConsul:
    """Knows nobody any more when it is asked; the service leaves just when it is *asked* or *told*."""

    leaves_when: str
    registry: ConsulRegistry
    there: set[str] = field(default_factory=set)
    looks: int = 0

    async def register(self, registration: Registration) -> None:
        self.there.add(registration.ID)
        if self.leaves_when == "told" and self.looks == 1:
            await self.registry.deregister("auth", ADDRESS)
            self.there.add(registration.ID)

    async def deregister(self, instance: str) -> None:
        self.there.discard(instance)

    async def is_known(self, _: Registration) -> bool:
        self.looks += 1
        self.there.clear()
        if self.leaves_when == "asked":
            await self.registry.deregister("auth", ADDRESS)
        return False


@pytest.mark.parametrize("when", ["asked", "told"])
async def test_an_instance_that_leaves_while_it_is_looked_after_is_not_registered_again(
    when: str,
) -> None:
    registry = ConsulRegistry("http://127.0.0.1:1", look_after=0.001)
    async with registry:
        consul = ForgetfulConsul(when, registry)
        registry._asking = cast("Any", consul)
        await registry.register("auth", ADDRESS)

        await eventually(lambda: consul.looks == 1 and not registry._registered)
        await eventually(lambda: not consul.there)
