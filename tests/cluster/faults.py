"""What can go wrong in a cluster, done to it on purpose; each is undone when it returns."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

from tests.cluster.deployment import Breakable, Deployment, Member
from tests.support.tcp_proxy import TcpProxy

PARTITIONS: Final = ("cut", "silence", "swallow", "deafen", "slow")
"""Connections end and cannot be made; nothing passes for a while; what is sent meanwhile never arrives; answers do
not pass; everything is late."""
_LATE: Final = 0.3
"""Seconds by which each piece is late on a slow wire."""


class Nemesis:
    """Breaks things, and counts what it broke.

    Args:
        deployment: its things.
        chance: chooses.
        spared: is neither killed nor restarted by chance.
    """

    def __init__(
        self, deployment: Deployment, chance: random.Random, spared: Sequence[Member] = ()
    ) -> None:
        self.done: Counter[str] = Counter()
        self._deployment = deployment
        self._chance = chance
        self._mortal = [each for each in deployment.members if each not in spared]

    async def kill(self, name: str, victim: Breakable, *, down: float = 0.0) -> None:
        """End something as a power cut would, and start it again *down* seconds later."""
        self.done[f"kill {kind_of(name)}"] += 1
        await asyncio.to_thread(victim.kill)
        await asyncio.sleep(down)
        await asyncio.to_thread(victim.start)

    async def freeze(self, name: str, victim: Breakable, *, seconds: float) -> None:
        """Let something stand still for so many *seconds*."""
        self.done[f"freeze {kind_of(name)}"] += 1
        victim.freeze()
        await asyncio.sleep(seconds)
        victim.thaw()

    async def partition(self, how: str, member: Member, wire: str, *, seconds: float) -> None:
        """Break a wire of *member* in one of the `PARTITIONS` for so many *seconds*."""
        async with self.parted(how, member, wire):
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def parted(self, how: str, member: Member, wire: str) -> AsyncIterator[None]:
        """The same for as long as the block lasts."""
        self.done[f"{how} {member.service} - {kind_of(wire)}"] += 1
        with broken(how, member.wires[wire]):
            yield

    async def roll(self, members: Sequence[Member]) -> None:
        """Restart *members* one after the other, as an operator does: the next one once the cluster is whole again."""
        for member in members:
            self.done[f"restart {member.service}"] += 1
            await asyncio.to_thread(member.process.stop)
            member.process.start()
            await self._deployment.whole()

    async def roll_all(self) -> None:
        """Restart every process but those that are spared."""
        await self.roll(self._mortal)

    async def strike(self) -> str:
        """Break something, whatever it is; what was done."""
        blow = self._chance.choice((self._at_a_process, self._at_a_server, self._at_a_wire))
        return await blow()

    async def _at_a_process(self) -> str:
        if self._chance.random() < 0.5:
            member = self._chance.choice(self._mortal)
            await self.kill(member.name, member.process, down=self._chance.uniform(0.0, 4.0))
            return f"killed {member.name}"
        member = self._chance.choice(self._deployment.members)
        await self.freeze(member.name, member.process, seconds=self._chance.uniform(0.5, 12.0))
        return f"froze {member.name}"

    async def _at_a_server(self) -> str:
        name, server = self._chance.choice(list(self._deployment.servers.named().items()))
        if self._chance.random() < 0.5:
            await self.kill(name, server, down=self._chance.uniform(0.0, 3.0))
            return f"killed {name}"
        await self.freeze(name, server, seconds=self._chance.uniform(0.5, 6.0))
        return f"froze {name}"

    async def _at_a_wire(self) -> str:
        member = self._chance.choice(self._deployment.members)
        wire, how = self._chance.choice(list(member.wires)), self._chance.choice(PARTITIONS)
        await self.partition(how, member, wire, seconds=self._chance.uniform(0.5, 12.0))
        return f"{how} {member.name} - {wire}"


def kind_of(name: str) -> str:
    """What a process is one of."""
    return name.rpartition("-")[0] or name


@contextmanager
def broken(how: str, wire: TcpProxy) -> Iterator[None]:
    """A broken *wire*, for as long as the block lasts."""
    match how:
        case "cut":
            wire.refusing = True
            wire.cut()
        case "slow":
            wire.delay = _LATE
        case _:
            wire.freeze(up=how != "deafen")
    try:
        yield
    finally:
        wire.refusing, wire.delay = False, 0.0
        if how == "swallow":
            wire.cut()
        wire.thaw()
