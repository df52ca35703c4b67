"""The real suite for tests: as a process of its own, started as users start it, or in this process.

with started(tmp_path) as suite:
    … suite.url …
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar

from autoworker import data_dir, suite
from autoworker.data_dir import AdminFile, RunFile
from autoworker.settings import suite_settings
from autoworker.suite import Running

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
START_DEADLINE = 240.0
STOP_DEADLINE = 60.0
_PAUSE = 0.02


def until(ready: Callable[[], T | None], what: str, deadline: float = START_DEADLINE) -> T:
    """The first value of *ready* that is not None; fails when that takes longer than *deadline*."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = ready()
        if value is not None:
            return value
        time.sleep(_PAUSE)
    raise AssertionError(f"{what} did not happen within {deadline} seconds")


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """Variables of a process that keeps to *folder*, on free ports."""
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    return {
        **inherited,
        "PYTHONPATH": str(ROOT),
        "AUTOWORKER_DATA_DIR": str(folder / "data"),
        "AUTOWORKER_HTTP_PORT": "0",
        "AUTOWORKER_EXAMPLE_PORT": "0",
        "XDG_STATE_HOME": str(folder / "state"),
        **settings,
    }


def command_line(
    folder: Path,
    *arguments: str,
    settings: Mapping[str, str] | None = None,
    stdin: str = "",
    deadline: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run `autoworker` with *arguments* to its end."""
    return subprocess.run(
        [sys.executable, "-m", "autoworker", *arguments],
        env=environment(folder, **(settings or {})),
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=deadline,
        check=False,
    )


@dataclass(slots=True)
class Suite:
    """A suite that runs in a process of its own."""

    folder: Path
    process: subprocess.Popen[bytes]
    out: Path
    err: Path
    run: RunFile

    @property
    def url(self) -> str:
        """Where its gateway is."""
        return self.run.url

    @property
    def data(self) -> Path:
        """Its data directory."""
        return self.folder / "data"

    @property
    def administrator(self) -> AdminFile:
        """Who can log in at first."""
        known = data_dir.read(data_dir.admin_file(self.data), AdminFile)
        assert known is not None
        return known

    @property
    def said(self) -> str:
        """What it has written to stdout so far."""
        return self.out.read_text(encoding="utf-8")

    @property
    def logged(self) -> str:
        """What it has written to stderr so far."""
        return self.err.read_text(encoding="utf-8")

    def wait_for(self, text: str, deadline: float = START_DEADLINE) -> None:
        """Return once it has said *text*."""
        until(lambda: True if text in self.said else None, f"saying {text!r}", deadline)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(STOP_DEADLINE)

    def stop(self, by: int = signal.SIGTERM) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(by)
        return self.process.wait(STOP_DEADLINE)


@contextmanager
def started(folder: Path, *arguments: str, **settings: str) -> Iterator[Suite]:
    """`autoworker up`, until the block is left."""
    out, err = folder / "out.txt", folder / "err.txt"
    with out.open("wb") as said, err.open("wb") as logged:
        process = _process(folder, arguments, settings, said, logged)
        try:
            run = until(lambda: _announced(process, folder, err), "the start of the suite")
            yield Suite(folder, process, out, err, run)
        finally:
            if process.poll() is None:
                process.terminate()
                _ended(process)


def _process(
    folder: Path,
    arguments: tuple[str, ...],
    settings: Mapping[str, str],
    out: IO[bytes],
    err: IO[bytes],
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "autoworker", "up", *arguments],
        env=environment(folder, **settings),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
    )


def _announced(process: subprocess.Popen[bytes], folder: Path, err: Path) -> RunFile | None:
    if process.poll() is not None:
        raise AssertionError(f"the suite ended with {process.returncode}: {err.read_text()}")
    run = data_dir.read(data_dir.run_file(folder / "data"), RunFile)
    return run if run is not None and run.pid == process.pid else None


def _ended(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_DEADLINE)


@asynccontextmanager
async def in_process(folder: Path, **settings: str) -> AsyncIterator[Running]:
    """The suite in this process and event loop, for what need not be killed."""
    values = environment(folder, **settings)
    chosen = suite_settings({name: v for name, v in values.items() if "AUTOWORKER" in name})
    with data_dir.held(chosen.data_dir):
        async with suite.running(chosen) as running:
            yield running
