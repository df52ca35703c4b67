"""The servers that the cluster's benchmarks need: those that the environment names, or some of this machine."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pymongo import AsyncMongoClient

from tests.support.consul import consul_server
from tests.support.mongodb import Server

MONGO: Final = "AUTOWORKER_BENCH_MONGO_URL"
CONSUL: Final = "AUTOWORKER_BENCH_CONSUL_URL"
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Mongo:
    """Where a MongoDB is, or what stands in for one."""

    url: str
    name: str
    process: int | None
    """The process that started it; None: somebody else's."""

    @property
    def cpu(self) -> float | None:
        """Seconds that it has used; None: not known."""
        return None if self.process is None else sum(map(_cpu, _children(self.process)))

    async def drop(self, prefix: str) -> None:
        """Drop the databases whose names begin with *prefix*."""
        async with AsyncMongoClient[dict[str, object]](self.url) as client:
            for name in await client.list_database_names():
                if name.startswith(prefix):
                    await client.drop_database(name)


@asynccontextmanager
async def mongo() -> AsyncIterator[Mongo]:
    """The one that the environment names, or the stand-in of the tests, alone."""
    url = os.environ.get(MONGO)
    if url is not None:
        yield Mongo(f"{url.rstrip('/')}/", "MongoDB", None)
        return
    server = Server()
    try:
        await asyncio.to_thread(server.start)
        process = None if server.process is None else server.process.pid
        yield Mongo(server.url, "the stand-in for MongoDB", process)
    finally:
        await asyncio.to_thread(server.remove)


@asynccontextmanager
async def consul() -> AsyncIterator[str]:
    """Where the Consul is that the environment names, or one that is alone."""
    url = os.environ.get(CONSUL)
    if url is not None:
        yield url
        return
    with consul_server() as server:
        yield server.url


def _children(process: int) -> list[int]:
    return [
        int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


def _cpu(process: int) -> float:
    try:
        told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(told[11]) + int(told[12])) / _TICKS
