"""A Redis of one's own, for tests that stop it: from the machine's binary, on a free port, keeping nothing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.ports import free_port
from tests.support.servers import absent

_DEADLINE: Final = 120.0


class RedisServer:
    """A server that can be stopped and started again, each time empty."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._command = [
            *(binary, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(folder)),
            *("--save", "", "--appendonly", "no"),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns when it listens."""
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + _DEADLINE
        while not _listens(self.port):
            if time.monotonic() > end or self._process.poll() is not None:
                raise AssertionError("Redis did not start")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it; returns when it is gone."""
        if self._process is not None:
            self._process.kill()
            _ = self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it hold still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A running server; the test is skipped where there is no binary."""
    binary = shutil.which("redis-server") or absent("redis-server", "PATH")
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        server = RedisServer(binary, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """A running server of the test's own."""
    with redis_server() as server:
        yield server


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
