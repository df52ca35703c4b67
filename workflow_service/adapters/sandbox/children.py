"""A command while it runs: its pipes, its end, and the certainty that nothing of it stays behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from workflow_service.adapters.sandbox.cages import Cage, Start
from workflow_service.adapters.sandbox.command import Command, SandboxBroken, check

_LINE: Final = 1024 * 1024
"""Bytes that a reader keeps before it makes the command wait."""
_BEGAN: Final = b'"child-pid"'
"""What bubblewrap reports once there is a sandbox."""
_ENDED: Final = b'"exit-code"'
"""What bubblewrap reports only of a command that it had started."""


class Child:
    """A running command. Its three streams are pipes."""

    def __init__(self, process: asyncio.subprocess.Process, start: Start) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise SandboxBroken("the command has no pipes")
        self.stdin: asyncio.StreamWriter = process.stdin
        self.stdout: asyncio.StreamReader = process.stdout
        self.stderr: asyncio.StreamReader = process.stderr
        self._process = process
        self._start = start
        self._killed = False
        self._report = b""

    async def wait(self) -> int:
        """Return its exit code once it has ended; 128 + n when signal n ended it.

        Raises:
            SandboxBroken: the sandbox was not put up; standard error has the reason.
        """
        code = await self._process.wait()
        if not self._killed and not self._was_started():
            raise SandboxBroken("the sandbox could not be put up around the command")
        return 128 - code if code < 0 else code

    def kill(self) -> None:
        """End it and everything that it started, at once; twice is once."""
        if self._process.returncode is None or self._start.leaves_others:
            self._killed = True
            # Until its sandbox is up a command belongs to the group of what puts that up; afterwards it dies with that.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until a killed command has left.

        What nobody reads any more is read to its end here: a process counts as ended only once its pipes are, and a
        pipe that is full is not looked at until somebody reads.
        """
        self.stdin.close()
        await asyncio.gather(_emptied(self.stdout), _emptied(self.stderr), self._process.wait())

    def _was_started(self) -> bool:
        if self._start.status is None:
            return True
        with suppress(BlockingIOError):
            self._report += os.read(self._start.status, 4096)
        # Whoever is killed from outside, for the memory that all took together, reports no end.
        killed = self._process.returncode == -signal.SIGKILL and _BEGAN in self._report
        return _ENDED in self._report or killed


async def _emptied(stream: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await stream.read(_LINE):
            pass


@asynccontextmanager
async def started(cage: Cage, command: Command) -> AsyncIterator[Child]:
    """Start *command*; leaving the block kills it, if it has not ended, and everything that it started.

    Must be entered on the thread of an event loop that lives as long as the command: when that thread ends, the kernel
    kills the command.

    Raises:
        CommandInvalid: it cannot be handed to a process.
        SandboxBroken: it could not be started.
    """
    check(command, cage.limits)
    with cage.start(command) as start:
        child = await _spawned(start)
        try:
            yield child
        finally:
            child.kill()
            # It is dying already, so this is over soon; a second cancellation must not leave it unreaped.
            await asyncio.shield(child.gone())


async def _spawned(start: Start) -> Child:
    try:
        process = await asyncio.create_subprocess_exec(
            *start.program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=start.environment,
            cwd=start.folder,
            pass_fds=start.passed,
            start_new_session=True,
            limit=_LINE,
        )
    except OSError as exc:
        raise SandboxBroken(f"the command cannot be started: {exc.strerror}") from exc
    return Child(process, start)
