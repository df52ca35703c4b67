"""Processes that can be killed and frozen, and the suite as one or as four of them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.support.ports import free_port
from tests.support.suite import ROOT, STOP_DEADLINE, environment

UNHURRIED: Final = {
    "AUTOWORKER_RATE_LIMIT": "10000000/60",
    "AUTOWORKER_AUTH_RATE_LIMIT": "100000/60",
    "AUTOWORKER_ANONYMOUS_RATE_LIMIT": "1000000/60",
    "AUTOWORKER_DRAIN_DELAY": "0",
}
"""Settings of a suite that one client may ask as often as it likes."""


@dataclass(slots=True)
class Process:
    """One process that comes back after each end, on the same data."""

    name: str
    arguments: Sequence[str]
    settings: Mapping[str, str]
    folder: Path
    wrapped: Sequence[str] = ()
    running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the present run."""
        assert self.running is not None
        return self.running.pid

    def start(self) -> None:
        """Run it; what it says is kept over all its runs."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.running = subprocess.Popen(
                [*self.wrapped, sys.executable, *self.arguments],
                env=environment(self.folder, **self.settings),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.running is not None
        self.running.kill()
        self.running.wait(STOP_DEADLINE)

    def freeze(self) -> None:
        """Let it stand still."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self.running is None or self.running.poll() is not None:
            return
        self.thaw()
        self.running.terminate()
        try:
            self.running.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            self.kill()

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.folder / f"{self.name}.log").read_text(errors="replace")


@dataclass(slots=True)
class Cluster:
    """The suite, as it is deployed for one test."""

    url: str
    data: Path
    processes: list[Process] = field(default_factory=list)

    def start(self) -> None:
        """Start every process."""
        for process in self.processes:
            process.start()

    def stop(self) -> None:
        """Stop every process, the last one first."""
        for process in reversed(self.processes):
            process.stop()

    async def is_ready(self, deadline: float = 240.0) -> None:
        """Return once the gateway answers."""
        port = int(self.url.rpartition(":")[2])
        async with asyncio.timeout(deadline):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    writer.close()
                    await writer.wait_closed()
                    return


@contextmanager
def started(cluster: Cluster) -> Iterator[Cluster]:
    """*cluster*, running until the block is left; what its processes said, if that is by a failure."""
    cluster.start()
    try:
        yield cluster
    except BaseException:
        for process in cluster.processes:
            sys.stderr.write(f"---- {process.name}\n{process.log[-4000:]}\n")
        raise
    finally:
        cluster.stop()


def one_process(folder: Path, **settings: str) -> Cluster:
    """`autoworker up`."""
    port = free_port()
    chosen = {**UNHURRIED, "AUTOWORKER_HTTP_PORT": str(port), **settings}
    up = Process("suite", ("-m", "autoworker", "up"), chosen, folder)
    return Cluster(f"http://127.0.0.1:{port}", folder / "data", [up])


def four_processes(folder: Path, **settings: str) -> Cluster:
    """Each service by itself, so that one can die while the others live."""
    services = ("auth", "workflow", "notification", "gateway")
    ports = {f"AUTOWORKER_{name.upper()}_GRPC_PORT": str(free_port()) for name in services[:3]}
    admin = {f"AUTOWORKER_{name.upper()}_ADMIN_PORT": "0" for name in services}
    port = free_port()
    person = {"AUTOWORKER_ADMIN_PASSWORD": "Administrators-and-7-cups"}
    chosen = {**UNHURRIED, **ports, **admin, **person, **settings}
    chosen["AUTOWORKER_HTTP_PORT"] = str(port)
    modules = {name: f"{name}_service" for name in services[:3]} | {"gateway": "gateway"}
    return Cluster(
        f"http://127.0.0.1:{port}",
        folder / "data",
        [Process(name, ("-m", modules[name]), chosen, folder) for name in services],
    )
