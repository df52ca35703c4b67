"""A Consul of one's own: one server in development mode, on free ports, keeping nothing."""

from __future__ import annotations

import atexit
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from tests.support.ports import free_port
from tests.support.servers import absent

_DEADLINE: Final = 120.0
_UNPACKED: Final = Path(sys.prefix) / "servers" / "consul"
"""Where `make servers` puts it."""


class ConsulServer:
    """An agent that can be killed and started again; it has forgotten everything then."""

    def __init__(self, binary: str, folder: Path) -> None:
        self.port = free_port()
        self.url = f"consul://127.0.0.1:{self.port}"
        self._folder = folder
        (folder / "consul.json").write_text(json.dumps(self._configuration()))
        self._command = [binary, "agent", "-dev", "-config-file", str(folder / "consul.json")]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; returns once it has a leader."""
        with (self._folder / "consul.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        end = time.monotonic() + _DEADLINE
        while not self._leads():
            if time.monotonic() > end or self._process.poll() is not None:
                raise AssertionError(
                    f"Consul did not start: {(self._folder / 'consul.log').read_text()[-2000:]}"
                )
            time.sleep(0.02)

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
        self._process.send_signal(number)

    def _leads(self) -> bool:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.port}/v1/status/leader", timeout=1
            ) as answer:
                return len(answer.read()) > 2
        except OSError:
            return False

    def _configuration(self) -> dict[str, object]:
        return {
            "bind_addr": "127.0.0.1",
            "client_addr": "127.0.0.1",
            "disable_update_check": True,
            "log_level": "warn",
            "ports": {
                "http": self.port,
                "serf_lan": free_port(),
                "server": free_port(),
                **dict.fromkeys(("dns", "grpc", "https", "serf_wan"), -1),
            },
        }


@contextmanager
def consul_server() -> Iterator[ConsulServer]:
    """A running server; the test is skipped where there is no binary."""
    with tempfile.TemporaryDirectory(prefix="consul-") as folder:
        server = ConsulServer(_binary(), Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.kill()


@cache
def consul_url() -> str:
    """Where a Consul is that tests of this process share: use names of your own there."""
    folder = Path(tempfile.mkdtemp(prefix="consul-"))
    server = ConsulServer(_binary(), folder)
    server.start()

    def end() -> None:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(end)
    return server.url


def _binary() -> str:
    found = shutil.which("consul") or (str(_UNPACKED) if _UNPACKED.exists() else None)
    return found or absent("consul", "PATH")
