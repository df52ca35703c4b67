"""One jq worker process, as the pool sees it."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_SCRIPT = Path(__file__).with_name("worker.py")
_OK, _FAILED, _READY = 0, 1, 2


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Bounds of one worker process. Sizes are bytes, times are seconds."""

    memory: int = 256 * 1024 * 1024
    max_output: int = 1024 * 1024
    cpu: int = 2
    startup: float = 10.0
    jobs: int = 2_000
    """Evaluations after which a process is replaced by a fresh one."""


class WorkerTimedOut(Exception):
    """No answer before the deadline."""


class WorkerDied(Exception):
    """The process ended in the middle of its work."""


class WorkerRefused(Exception):
    """The expression failed; the message is jq's."""


class WorkerProcess:
    """Starts with the constructor and is ready soon after; used by one thread at a time.

    Only ever fork and exec in one step: a forked copy of a process that runs gRPC would hang.
    """

    def __init__(self, limits: WorkerLimits) -> None:
        self._limits = limits
        self._ready = False
        self.jobs = 0
        self._socket, theirs = socket.socketpair()
        with theirs:
            self._process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own file, no input in it
                [
                    *(sys.executable, "-I", "-S", "-B", str(_SCRIPT), _folder_of_jq()),
                    *(str(limits.memory), str(limits.max_output), str(limits.cpu)),
                ],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                close_fds=True,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def worn_out(self) -> bool:
        return self.jobs >= self._limits.jobs

    def run(self, program: bytes, document: bytes, seconds: float) -> bytes:
        """The answer to one job, within *seconds* from when the process is ready.

        Raises:
            WorkerRefused: the expression failed; the process lives on.
            WorkerTimedOut: kill this process.
            WorkerDied: kill this process.
        """
        self.jobs += 1
        self._wait_until_ready()
        deadline = time.monotonic() + seconds
        size = (4 + len(program) + len(document)).to_bytes(4, "big")
        try:
            self._socket.settimeout(seconds)
            self._socket.sendall(size + len(program).to_bytes(4, "big") + program + document)
            status, content = self._receive(deadline)
        except TimeoutError as exc:
            raise WorkerTimedOut from exc
        except OSError as exc:
            raise WorkerDied from exc
        if status == _FAILED:
            raise WorkerRefused(content.decode(errors="replace"))
        if status != _OK:
            raise WorkerDied
        return content

    def kill(self) -> None:
        """End the process at once and reap it; may be called from another thread, and twice."""
        if self._process.poll() is None:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            except PermissionError:
                self._process.kill()
        self._process.wait()
        self._socket.close()

    def _wait_until_ready(self) -> None:
        if self._ready:
            return
        try:
            status, _ = self._receive(time.monotonic() + self._limits.startup)
        except TimeoutError as exc:
            raise WorkerDied from exc
        except OSError as exc:
            raise WorkerDied from exc
        if status != _READY:
            raise WorkerDied
        self._ready = True

    def _receive(self, deadline: float) -> tuple[int, bytes]:
        size = int.from_bytes(self._read(4, deadline), "big")
        if not 0 < size <= max(self._limits.max_output, 4096) + 1:
            raise WorkerDied
        frame = self._read(size, deadline)
        return frame[0], frame[1:]

    def _read(self, size: int, deadline: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._socket.settimeout(remaining)
            part = self._socket.recv(min(size - len(content), 1 << 20))
            if not part:
                raise WorkerDied
            content += part
        return bytes(content)


def _folder_of_jq() -> str:
    spec = importlib.util.find_spec("jq")
    if spec is None or spec.origin is None:
        raise RuntimeError("the jq package is not installed")
    return str(Path(spec.origin).parent)
