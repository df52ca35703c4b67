"""A RabbitMQ of one's own: from the machine's binaries, on free ports, in a temporary folder."""

from __future__ import annotations

import atexit
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.support.ports import free_port

BINARY: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""Debian's; the one on PATH is a wrapper that wants to be another user."""
_READY: Final = "Server startup complete"
_DEADLINE: Final = 120.0
_CONFIGURATION: Final = """
listeners.tcp.1 = 127.0.0.1:{port}
loopback_users = none
log.console = true
log.file = false
disk_free_limit.absolute = 50MB
"""


def start() -> str:
    """Start one that ends with this process; return its URL."""
    server = Server()
    atexit.register(server.end)
    return server.url


class Server:
    """One of a test's own, which can be killed and started again on the same data."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        self.port, epmd_port = free_port(), free_port()
        self._environment = _environment(self._folder, self.port, epmd_port)
        self._epmd = _begun(
            ["epmd", "-port", str(epmd_port), "-address", "127.0.0.1"],
            self._environment,
            self._folder,
        )
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self.start()

    def start(self) -> None:
        """Start it, and return when it is ready."""
        self._server = _begun([str(BINARY)], self._environment, self._folder)
        _wait(self._server, self._folder / "rabbitmq-server.log", self.port)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._server is not None:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(timeout=10)

    def freeze(self) -> None:
        """Let it hold still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._server is not None
        os.killpg(self._server.pid, number)

    def control(self, *arguments: str) -> None:
        """Have `rabbitmqctl` do something to it."""
        subprocess.run(
            [str(BINARY.with_name("rabbitmqctl")), *arguments],
            env=self._environment,
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=60,
        )

    def end(self) -> None:
        """End it, and take its data away."""
        _end([each for each in (self._server, self._epmd) if each is not None], self._folder)


def _environment(folder: Path, port: int, epmd_port: int) -> dict[str, str]:
    files = {
        "RABBITMQ_CONFIG_FILE": ("rabbitmq.conf", _CONFIGURATION.format(port=port)),
        "RABBITMQ_CONF_ENV_FILE": ("rabbitmq-env.conf", ""),
        "RABBITMQ_ENABLED_PLUGINS_FILE": ("enabled_plugins", "[]."),
    }
    for name, content in files.values():
        (folder / name).write_text(content)
    return {
        **{variable: str(folder / name) for variable, (name, _) in files.items()},
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"t{secrets.token_hex(6)}@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none"
        ),
    }


def _begun(
    command: list[str], environment: dict[str, str], folder: Path
) -> subprocess.Popen[bytes]:
    with (folder / f"{Path(command[0]).name}.log").open("wb") as log:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )


def _wait(server: subprocess.Popen[bytes], log: Path, port: int) -> None:
    end = time.monotonic() + _DEADLINE
    while time.monotonic() < end and server.poll() is None:
        if _READY in log.read_text(errors="replace") and _listens(port):
            return
        time.sleep(0.05)
    raise AssertionError(f"RabbitMQ did not start: {log.read_text(errors='replace')[-2000:]}")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(processes: list[subprocess.Popen[bytes]], folder: Path) -> None:
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        try:
            _ = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)
