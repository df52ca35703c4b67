"""Load from this process, and what it cost here and there."""

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from benchmarks.processes import Place


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of calls took."""

    calls: int
    seconds: float
    took: Sequence[float]
    """Seconds of each call, sorted."""
    client_cpu: float = 0.0
    server_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    @property
    def cpu_per_1000(self) -> float:
        """CPU seconds of all processes for a thousand calls."""
        return (self.client_cpu + self.server_cpu) / self.calls * 1000

    @property
    def server_cpu_per_1000(self) -> float:
        """CPU seconds of the measured processes for a thousand calls."""
        return self.server_cpu / self.calls * 1000

    def quantile(self, share: float) -> float:
        """Milliseconds within which that *share* of the calls was answered."""
        return self.took[min(int(len(self.took) * share), len(self.took) - 1)] * 1000


async def flood(once: Callable[[], Awaitable[object]], in_flight: int, calls: int) -> Load:
    """Make that many *calls*, so many of them *in_flight* at any time."""
    took: list[float] = []
    left = calls

    async def worker() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            began = time.perf_counter()
            await once()
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return Load(calls, time.perf_counter() - began, sorted(took))


async def loaded(
    once: Callable[[], Awaitable[object]], in_flight: int, calls: int, places: Sequence[Place]
) -> Load:
    """As `flood`, with the CPU time of this process and of *places*."""
    before, own = [await place.usage() for place in places], _own_cpu()
    load = await flood(once, in_flight, calls)
    own_after, after = _own_cpu(), [await place.usage() for place in places]
    spent = sum(b.cpu - a.cpu for a, b in zip(before, after, strict=True))
    return Load(load.calls, load.seconds, load.took, own_after - own, spent)


async def best(
    runs: int,
    once: Callable[[], Awaitable[object]],
    in_flight: int,
    calls: int,
    places: Sequence[Place],
) -> Load:
    """The fastest of several runs, after one that warms up: others use the machine too."""
    await flood(once, in_flight, max(calls // 10, in_flight))
    loads = [await loaded(once, in_flight, calls, places) for _ in range(runs)]
    return max(loads, key=lambda load: load.rate)


def _own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
